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


PEOPLE = """
INSERT INTO user_pool (id, public_id, name, sealed_decoy_key, case_sensitive)
VALUES (1, 'us-east-1_a', 'a', '', false), (2, 'us-east-1_b', 'b', '', true);
INSERT INTO pool_user (id, pool_id, sub, username, email, preferred_username, status)
SELECT gen_random_uuid(), pool, gen_random_uuid(), 'user' || n, 'User' || n || '@Example.com', 'Ürsel' || n, 'CONFIRMED'
FROM generate_series(1, 1200) n, generate_series(1, 2) pool
"""
WITH_CAPITALS = """
SELECT pool_id, count(*), count(*) FILTER (WHERE email ~ '[A-Z]'), count(*) FILTER (WHERE preferred_username ~ 'Ü')
FROM pool_user GROUP BY pool_id ORDER BY pool_id
"""
OF_USERS = """
SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'pool_user'::regclass ORDER BY 1
"""


def test_capitals_go_where_they_do_not_matter_and_indexes_of_small_letters_come(start: Migrate, url: str) -> None:
    """From the release before, while somebody who has capitals is held by another transaction."""
    ended(begin(url, "pools", "0031_text_messages"))
    with psycopg.connect(url, autocommit=True) as watcher, psycopg.connect(url) as holder:
        watcher.execute(PEOPLE)
        before = [name for name, _ in watcher.execute(OF_USERS).fetchall()]
        holder.execute("UPDATE pool_user SET status = status WHERE pool_id = 1 AND username = 'user7'")
        started = start()
        until = time.monotonic() + 60
        while watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
            assert started.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        watcher.execute("UPDATE pool_user SET status = status WHERE pool_id = 2")  # nobody else waits
        holder.commit()

        ended(started)

        assert watcher.execute(WITH_CAPITALS).fetchall() == [(1, 1200, 0, 0), (2, 1200, 1200, 1200)]
        after: dict[str, bool] = dict(watcher.execute(OF_USERS).fetchall())
        assert set(after.values()) == {True}
        assert len(after) == len(before)
        assert {name for name in before if name not in after} == {
            f"pool_user_{column}"[:30]
            for column in ("email", "name", "given_name", "family_name", "preferred_username")
        }
