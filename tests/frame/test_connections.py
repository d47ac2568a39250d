"""A database connection ends with the thread that made it, and one sum says how many there may be."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from pytest_django.fixtures import Settings

from identity import checks, serve
from identity.embedded.run import Installation
from identity.environment import Environment
from identity.foundation import clock, connections
from identity.management.commands import migrate
from pools.services.messages import deliveries


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Have nothing closed by the garbage collector's happening by."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def backend_of_another_thread() -> int:
    """Return the number of the server process whose connection a thread made that has ended."""
    found: list[int] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            found.append(cursor.fetchone()[0])

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found[0]


def is_there(backend: int) -> bool:
    """Say whether a server process still serves a connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [backend])
        return bool(cursor.fetchone()[0])


def is_gone(backend: int, patience: int = 200) -> bool:
    """Say whether it goes: the server notices that it was left."""
    return any(not is_there(backend) for _ in range(patience))


@pytest.mark.usefixtures("no_collector")
@pytest.mark.django_db(transaction=True)
def test_a_connection_ends_with_the_thread_that_made_it() -> None:
    assert is_gone(backend_of_another_thread(), patience=2000)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_without_what_binds_it_to_the_thread_it_would_stay() -> None:
    connection_created.disconnect(dispatch_uid="connections.created")
    try:
        left = backend_of_another_thread()
    finally:
        connection_created.connect(connections.end_with_the_thread, dispatch_uid="connections.created")

    assert not is_gone(left)
    gc.collect()


@pytest.mark.django_db(transaction=True)
def test_a_thread_that_connects_again_keeps_its_newer_connection() -> None:
    connection.close()
    connection.ensure_connection()
    first = connection.connection
    connection.connection = None  # forgotten without being closed
    connection.ensure_connection()

    assert first.closed
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_a_migration_waits_as_long_as_an_index_takes() -> None:
    def is_bounded() -> bool:
        connection.ensure_connection()
        return isinstance(connection.connection, connections.Bounded)

    with migrate.impatient("default"):
        meanwhile = is_bounded()

    assert (meanwhile, is_bounded()) == (False, True)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"web_threads": 2, "web_workers": 1, "worker_threads": 1},
        {"web_threads": 256, "web_workers": 32, "worker_threads": 64},
        {"web_workers": 4, "web_nodes": 3},
    ],
)
def test_what_make_run_allows_is_what_the_check_asks_for(shape: dict[str, Any], settings: Settings) -> None:
    environment = Environment(**shape)
    for name in ("WEB_THREADS", "WEB_WORKERS", "WEB_NODES", "WORKER_THREADS"):
        setattr(settings, name, getattr(environment, name.lower()))

    allowed = Installation(environment).connections()

    assert checks.connections_wanted() <= allowed - serve.RESERVED


def test_every_thread_is_in_the_sum() -> None:
    asked: dict[str, Any] = {"web_threads": 24, "web_processes": 2, "worker_threads": 8}
    lanes = len(deliveries.BATCH)

    assert lanes == connections.SWEPT_LANES
    bare = 2 * (24 + 1) + 8 + lanes * (1 + connections.SWEEPERS) + 1 + 1
    assert serve.connections(**asked, over_tls=False) == bare
    assert serve.connections(**asked, over_tls=True) == bare + serve.TLS_THREADS + 1
    few = serve.connections(**asked | {"worker_threads": 1}, over_tls=False)
    assert few == bare - 8 + serve.FEWEST_THREADS


@pytest.mark.parametrize("fault", [None, OperationalError("too many clients already")])
def test_those_who_ask_at_once_whether_there_is_a_connection_open_one_more_and_not_one_each(
    fault: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Semaphore(0), threading.Event()
    opened: list[int] = []

    def connect_once() -> None:
        opened.append(1)
        begun.release()
        assert go.wait(10)
        if fault:
            raise fault

    come = threading.Semaphore(0)

    def monotonic() -> float:
        come.release()
        return time.monotonic()

    monkeypatch.setattr(connections, "connect_once", connect_once)
    monkeypatch.setattr(clock, "monotonic", monotonic)
    fresh = connections.Fresh()

    def ask() -> str:
        try:
            fresh.ask()
        except OperationalError:
            return "no"
        return "yes"

    with ThreadPoolExecutor(8) as crowd:
        first = crowd.submit(ask)
        assert begun.acquire(timeout=10)
        others = [crowd.submit(ask) for _ in range(7)]
        # The first has read the clock twice, each that has come and waits once.
        assert all(come.acquire(timeout=10) for _ in range(2 + len(others)))
        go.set()
        said = {each.result() for each in (first, *others)}

    assert said == {"no" if fault else "yes"}
    assert len(opened) == 2
