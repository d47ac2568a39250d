"""The Celery app and the beat table. A message is a hint: PostgreSQL is the queue."""

from __future__ import annotations

import os
import ssl
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import Celery, Task, signals
from django.conf import settings
from kombu import Queue

from identity.foundation import later, server_urls
from identity.foundation.loading import undisturbed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")

# Codes that a person waits for; invitations and imports; seals, purges and metadata.
LANES = ("now", "bulk", "tasks")
PUBLISH_SECONDS = 0.2
CONSUME_SECONDS = 5
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def tls_of_broker(url: str) -> dict[str, Any] | None:
    """Return how TLS to Redis is checked, unless options of the address (`ssl_ca_certs`) say it themselves.

    Kombu believes any certificate unless it is told otherwise.
    """
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED} if url.startswith("rediss:") else None


def periodic(task: str, seconds: float) -> dict[str, Any]:
    """Return an entry of the beat table that is due at once where beat has no memory of it."""
    return {"task": str(task), "schedule": seconds, "last_run_at": LONG_AGO}


_loading = ExitStack()


@signals.import_modules.connect
def begin_loading(**_given: Any) -> None:
    """Load undisturbed. Receivers come in the order of this file: the next are the app's own, which load."""
    _loading.enter_context(undisturbed())


app = Celery("cognate")
app.conf.update(
    broker_url=server_urls.celery(settings.REDIS_URL),
    broker_use_ssl=tls_of_broker(settings.REDIS_URL),
    broker_transport_options={
        "global_keyprefix": settings.REDIS_PREFIX,
        # Publishing waits at most this long for a silent Redis, and connects once: before a second try kombu sleeps for
        # two seconds. The sweep finds what was not published.
        "socket_connect_timeout": 0.2,
        "socket_timeout": PUBLISH_SECONDS,
        "max_retries": 0,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_default_queue="tasks",
    task_queues=[Queue(lane) for lane in LANES],
    task_create_missing_queues=False,
    task_ignore_result=True,
    result_backend=None,
    task_acks_late=False,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    timezone="UTC",
    enable_utc=True,
    beat_schedule={
        "sweep the outbox": periodic("pools.tasks.sweep_outbox", 30),
        "sweep the imports": periodic("pools.tasks.sweep_imports", 30),
        "purge": periodic(later.Task.PURGE, 300),
        # Asked for more often than they run: beat forgets with its container what it asked for. Each task knows in
        # PostgreSQL when it is due.
        "make partitions": periodic("pools.tasks.make_partitions", 300),
        "rotate due keys": periodic("pools.tasks.rotate_due_keys", 300),
        "reseal": periodic(later.Task.RESEAL, 3600),
    },
)
app.autodiscover_tasks(["pools", "federation"])


@signals.import_modules.connect
def end_loading(**_given: Any) -> None:
    """Have everything loaded."""
    _loading.close()


@signals.setup_logging.connect
def keep_our_logging(**_given: Any) -> None:
    """Leave logging as ``identity.telemetry`` set it up: a receiver keeps Celery from its own."""


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_to_start_unsafely(**_given: Any) -> None:
    """Hold worker and beat to the checks where ``identity.serve`` did not: Celery itself runs them and goes on."""
    from identity.checks import require_safe_settings  # Django is not set up before

    require_safe_settings()


@signals.celeryd_init.connect
def wait_longer(**_given: Any) -> None:
    """Let a worker, which asks Redis to answer only when there is something, wait longer than publishers do."""
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "socket_timeout": CONSUME_SECONDS}


@signals.beat_init.connect
def show_life(**_given: Any) -> None:
    """Have beat touch its file with each task that it asks for. A worker does with each sweep."""
    if alive := settings.ALIVE_FILE:
        signals.before_task_publish.connect(lambda **_: alive.touch(), weak=False)


@signals.task_prerun.connect
def take_up_request(task: Task[..., Any], **_given: Any) -> None:
    """Log a task under the id of the request that asked for it."""
    if request_id := task.request.get("request_id"):
        structlog.contextvars.bind_contextvars(request_id=request_id)


@signals.task_postrun.connect
def put_down_request(**_given: Any) -> None:
    """Forget that id: the thread goes on to other tasks."""
    structlog.contextvars.unbind_contextvars("request_id")
