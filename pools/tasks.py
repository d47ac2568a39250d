"""Celery's tasks: each takes ids and calls one service. PostgreSQL is the queue, a task a hint.

Each lane has room of its own in a worker. A worker also looks every two seconds by threads of its own, which need no
broker: two into the outbox, one for what people wait for and one for the rest, and one for imports of users.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from celery import Task as CeleryTask
from celery import shared_task
from celery.signals import worker_init, worker_shutdown
from django.conf import settings
from django.db import Error, close_old_connections, connection

from identity.foundation import connections
from identity.foundation.actor import Actor
from identity.foundation.task_names import Task
from pools.services import housekeeping
from pools.services.messages import deliveries
from pools.services.pools import certificates, signing_keys
from pools.services.providers import expiry, fetching
from pools.services.user_imports import work

log = structlog.get_logger(__name__)
SWEEP_EVERY = 2.0
PAUSE = 0.1
"""Before the next batch of many: rows that cannot be handled would keep a thread spinning."""
Lane = deliveries.Lane
SLOTS = {
    lane.value: threading.BoundedSemaphore(max(1, settings.WORKER_THREADS // 4)) for lane in (Lane.BULK, Lane.TASKS)
}
"""How many threads a lane may take for which nobody waits: the others are left to ``now``, however slow these are."""


class LimitedTask(CeleryTask):  # type: ignore[type-arg]  # generic to the checker alone
    """A task that is passed over where its lane is full: a hint, which the sweep or beat's next one makes good."""

    def __call__(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - Celery's own
        """Run, if there is a slot."""
        slot = SLOTS.get((self.request.delivery_info or {}).get("routing_key") or "")
        if slot is None:
            return self._run(*args, **named)
        if not slot.acquire(blocking=False):
            log.debug("lane_full", task=self.name)
            return None
        try:
            return self._run(*args, **named)
        finally:
            slot.release()

    def _run(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - Celery's own
        """Run; with the database away in one line, as the sweeps do."""
        try:
            return self.run(*args, **named)
        except connections.UNAVAILABLE as problem:
            log.warning("task_unavailable", task=self.name, **connections.described(problem))
            return None


@shared_task(name=Task.DELIVER.value, ignore_result=True, base=LimitedTask)
def deliver(outbox_id: str) -> None:
    """Deliver one message of the outbox."""
    deliveries.deliver(UUID(outbox_id))


@shared_task(name=Task.SWEEP_OUTBOX.value, ignore_result=True, base=LimitedTask)
def sweep_outbox() -> None:
    """Deliver what was left behind, in case no worker's own thread does."""
    if housekeeping.take_turn("sweep_outbox", timedelta(seconds=20)):
        deliveries.sweep()


@shared_task(name=Task.PURGE.value, ignore_result=True, base=LimitedTask)
def purge(pool_id: str = "") -> None:
    """Remove what is over, and what was deleted. An argument of the beat table is of no use here."""
    del pool_id
    housekeeping.purge()


@shared_task(name=Task.MAKE_PARTITIONS.value, ignore_result=True, base=LimitedTask)
def make_partitions() -> None:
    """Make the partitions of the days to come."""
    if housekeeping.take_turn("make_partitions", timedelta(minutes=30)):
        housekeeping.make_partitions()


@shared_task(name=Task.ROTATE_DUE_KEYS.value, ignore_result=True, base=LimitedTask)
def rotate_due_keys() -> None:
    """Rotate signing keys that have signed long enough."""
    if housekeeping.take_turn("rotate_due_keys", timedelta(minutes=30)):
        signing_keys.rotate_due(by=Actor.system())
        certificates.roll_due(by=Actor.system())


@shared_task(name=Task.FETCH_PROVIDERS.value, ignore_result=True, base=LimitedTask)
def fetch_providers() -> None:
    """Read what identity providers publish, where that is due."""
    if housekeeping.take_turn("fetch_providers", timedelta(seconds=5)):
        fetching.refresh_due()
    if housekeeping.take_turn("tell_expiry", timedelta(hours=1)):
        expiry.tell_due(by=Actor.system())


@shared_task(name=Task.RESEAL.value, ignore_result=True, base=LimitedTask)
def reseal() -> None:
    """Wrap sealed values by the newest master key, where that was not done to the end yet."""
    if housekeeping.take_turn("reseal", timedelta(minutes=30)):
        housekeeping.reseal()


@shared_task(name=Task.IMPORT_USERS.value, ignore_result=True, base=LimitedTask)
def import_users(pool_pk: str, job_id: str) -> None:
    """Do an import of users that was started, or go on with it."""
    work.run(int(pool_pk), UUID(job_id))


@shared_task(name=Task.SWEEP_IMPORTS.value, ignore_result=True, base=LimitedTask)
def sweep_imports() -> None:
    """Go on with what waits, in case no worker's own thread does."""
    if housekeeping.take_turn("sweep_imports", timedelta(seconds=20)):
        for pool_pk, job_id in work.due():
            work.run(pool_pk, job_id)


class Sweeper(threading.Thread):
    """Looks for what is due every two seconds, broker or no broker, until it is told to stop.

    Whatever goes wrong, it goes on. Should it end all the same, ``lost`` is called: a worker that sweeps no more
    must not look healthy.
    """

    def __init__(self, name: str, every: float, lost: Callable[[], None] | None) -> None:
        """Make a thread that dies with its process."""
        super().__init__(name=name, daemon=True)
        self.every = every
        self._lost = lost
        self._stopping = threading.Event()

    def run(self) -> None:
        """Sweep until stopped; a database that is away is waited for."""
        more = False
        try:
            while not self._stopping.wait(PAUSE if more else self.every):
                more = self._sweep()
        finally:
            if not self._stopping.is_set():
                log.critical("sweep_lost", sweeper=self.name)
                if self._lost is not None:
                    self._lost()
            self.end()

    def look(self) -> bool:
        """Do what is due; say whether there may be more."""
        raise NotImplementedError

    def end(self) -> None:
        """Let go of what it holds."""
        connection.close()

    def _sweep(self) -> bool:
        try:
            try:
                return self.look()
            finally:
                close_old_connections()
        except Error as problem:
            log.warning("sweep_failed", sweeper=self.name, problem=type(problem).__name__)
        except Exception:
            log.exception("sweep_broke", sweeper=self.name)
        return False

    def tell(self) -> None:
        """Ask it to stop after the work in hand."""
        self._stopping.set()

    def stop(self, timeout: float = 15.0) -> None:
        """Stop after the work in hand."""
        self.tell()
        self.join(timeout)


class OutboxSweeper(Sweeper):
    """Delivers what is due in a lane of the outbox."""

    def __init__(
        self, every: float = SWEEP_EVERY, lost: Callable[[], None] | None = None, *, lane: deliveries.Lane = Lane.NOW
    ) -> None:
        """Have some threads beside it that deliver; each is started when it is needed."""
        super().__init__(f"outbox-sweep-{lane}", every, lost)
        self.lane = lane
        self._hands = ThreadPoolExecutor(connections.SWEEPERS, thread_name_prefix=self.name)

    def look(self) -> bool:
        """Deliver a batch, which is finished before the next is looked for: what waits, waits in PostgreSQL."""
        found = deliveries.due(self.lane)
        list(self._hands.map(self._deliver, found))
        # A batch that nobody waits for may take its time, and a worker is well all the while.
        if settings.ALIVE_FILE and self.lane == Lane.NOW:
            settings.ALIVE_FILE.touch()
        return len(found) == deliveries.BATCH[self.lane]

    def end(self) -> None:
        """Let its threads go too."""
        self._hands.shutdown()
        super().end()

    def _deliver(self, outbox_id: UUID) -> None:
        if self._stopping.is_set():
            return
        try:
            deliveries.deliver(outbox_id)
        except Error as problem:
            log.warning("sweep_delivery_failed", id=str(outbox_id), problem=type(problem).__name__)
        except Exception:
            log.exception("sweep_delivery_broke", id=str(outbox_id))
        finally:
            connection.close()  # a thread that delivers now and then holds none in between


class ImportSweeper(Sweeper):
    """Does the imports of which no worker was told, or whose worker is gone, one after the other."""

    def __init__(self, every: float = SWEEP_EVERY, lost: Callable[[], None] | None = None) -> None:
        """Need nothing but its own connection."""
        super().__init__("import-sweep", every, lost)

    def look(self) -> bool:
        """Do what waits; what is stopped meanwhile is picked up by whoever comes next."""
        for pool_pk, job_id in work.due():
            if self._stopping.is_set():
                break
            work.run(pool_pk, job_id)
        return False


_sweepers: list[Sweeper] = []


def end_worker() -> None:
    """End this worker after the tasks in hand: its supervisor starts another, and probes see that it is gone."""
    os.kill(os.getpid(), signal.SIGTERM)


# Not worker_ready: that waits for the broker, which these threads do not need.
@worker_init.connect
def start_sweeping(**_given: Any) -> None:
    """Start the sweeps with the worker."""
    _sweepers.extend(OutboxSweeper(lost=end_worker, lane=lane) for lane in deliveries.BATCH)
    _sweepers.append(ImportSweeper(lost=end_worker))
    for sweeper in _sweepers:
        sweeper.start()


@worker_shutdown.connect
def stop_sweeping(**_given: Any) -> None:
    """Stop the sweeps with the worker."""
    for sweeper in _sweepers:
        sweeper.tell()
    while _sweepers:
        _sweepers.pop().stop()
