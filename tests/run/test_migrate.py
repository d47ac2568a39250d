"""``manage.py migrate`` beside living traffic: it gives way to those who write, and comes through in the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from identity.management.commands import migrate
from tests import servers

# What comes after takes a table from writers for a moment, and makes indexes.
BEFORE = "0005_audit_personal_digest"
Migrate = Callable[..., "subprocess.Popen[str]"]
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'sign_in_name'::regclass AND NOT granted"
INDEX = "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = 'password_pool'::regclass"


@pytest.fixture(scope="module")
def before() -> str:
    """Make a database that is still to be migrated, to be copied; return its name."""
    name = f"before_{servers.WORKER}"
    ended(begin(servers.fresh_database(name), "pools", BEFORE))
    return name


@pytest.fixture
def url(before: str) -> str:
    """Return the address of a copy of it."""
    return servers.fresh_database(f"migrate_{servers.WORKER}", source=before)


@pytest.fixture
def start(url: str) -> Iterator[Migrate]:
    """Return what starts ``manage.py migrate``."""
    started = []

    def go() -> subprocess.Popen[str]:
        started.append(begin(url))
        return started[-1]

    yield go
    for process in started:
        process.kill()
        process.communicate()


def begin(url: str, *arguments: str) -> subprocess.Popen[str]:
    """Start ``manage.py migrate`` and do not wait."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", *arguments],
        cwd=servers.ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for the end, which is a good one; return what it complained of."""
    _, complaints = process.communicate(timeout=90)
    assert process.returncode == 0, complaints
    return complaints


def seen(connection: psycopg.Connection, *, waiting: int) -> None:
    """Wait until so many wait for the table."""
    until = time.monotonic() + 30
    while connection.execute(WAITING).fetchone() != (waiting,):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_table_that_is_held_is_left_to_writers_and_had_in_the_end(url: str, start: Migrate) -> None:
    with (
        psycopg.connect(url, autocommit=True) as watcher,
        psycopg.connect(url) as holder,
        psycopg.connect(url, autocommit=True) as writer,
    ):
        holder.execute("SELECT FROM sign_in_name")
        started = start()
        seen(watcher, waiting=1)

        # Behind whoever waits for the whole table, everybody else waits.
        began = time.monotonic()
        writer.execute("UPDATE sign_in_name SET name = name")
        waited = time.monotonic() - began

        assert waited < migrate.LOCK_TIMEOUT / 1000 + 1
        assert started.poll() is None
        seen(watcher, waiting=1)  # once more
        holder.rollback()
        assert "Another transaction holds a table" in ended(started)
        assert watcher.execute(INDEX).fetchone() == (
            True,
            "CREATE INDEX password_pool ON public.password USING btree (pool_id)",
        )


def test_an_index_that_was_left_half_made_is_made_anew_while_somebody_writes(url: str, start: Migrate) -> None:
    with psycopg.connect(url, autocommit=True) as watcher, psycopg.connect(url) as writer:
        watcher.execute("CREATE INDEX password_pool ON password (changed_at)")
        watcher.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'password_pool'::regclass")
        writer.execute("UPDATE password SET argon2 = argon2")
        started = start()
        # It waits for the writer, and nobody for it.
        until = time.monotonic() + migrate.LOCK_TIMEOUT / 1000 + 3
        while time.monotonic() < until:
            watcher.execute("UPDATE password SET argon2 = argon2")
            time.sleep(0.05)
        assert started.poll() is None
        writer.commit()

        assert ended(started) == ""
        assert watcher.execute(INDEX).fetchone() == (
            True,
            "CREATE INDEX password_pool ON public.password USING btree (pool_id)",
        )
