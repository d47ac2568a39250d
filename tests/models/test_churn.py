"""Rows that change at each sign-in or refresh change in place (HOT): PostgreSQL's own counters say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from pools.models import Guess
from pools.services import access, configuration, lockout
from pools.services.sign_in.machine import SignedIn, Want
from pools.services.tokens import refresh
from tests import factories

PEOPLE, TURNS = 10, 30
AT_LEAST = 0.95
"""The rest is pages that are full while an older row is still seen by somebody."""
ROUNDS = 5
"""How often to look: a transaction left open in any database of the server keeps PostgreSQL from learning that older
rows are seen by nobody. A changed column with an index, which is what this asks about, fails every round."""


@contextmanager
def updates_of(table: str) -> Iterator[list[int]]:
    """Give the updates of a table meanwhile: all, and those in place."""

    def counted() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s", [table])
            row = cursor.fetchone()
        assert row
        return int(row[0]), int(row[1])

    found: list[int] = []
    before = counted()
    yield found
    found.extend(now - then for now, then in zip(counted(), before, strict=True))


def assert_changed_in_place(table: str, change: Callable[[], None], times: int) -> None:
    """Assert that so many updates are made, and in some round nearly all of them in place."""
    seen = []
    for _ in range(ROUNDS):
        with updates_of(table) as updates:
            change()
        assert updates[0] == times
        seen.append(updates[1] / updates[0])
        if seen[-1] >= AT_LEAST:
            return
    raise AssertionError(seen)


def test_a_refresh_family_turns_in_place(transactional_db: None) -> None:
    configuration.holdings.forget_everything()
    pool = factories.make_pool()
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    client = factories.make_client(pool, explicit_auth_flows=flows, refresh_token_rotation={"feature": "ENABLED"})
    held = []
    for _ in range(PEOPLE):
        name = factories.make_user(pool).username
        done = factories.begin(client, username=name, password=factories.PASSWORD, want=Want.TOKENS, by=factories.BY)
        assert isinstance(done, SignedIn)
        assert done.tokens
        held.append(done.tokens.refresh)

    def turn() -> None:
        for _ in range(TURNS):
            held[:] = [refresh.refresh(client, token or "", by=factories.BY).refresh for token in held]

    assert_changed_in_place("refresh_family", turn, PEOPLE * TURNS)


@pytest.mark.parametrize("kind", [Guess.Kind.PASSWORD, Guess.Kind.TOTP])
def test_a_guess_is_counted_in_place(kind: Guess.Kind, transactional_db: None) -> None:
    configuration.holdings.forget_everything()
    pool = factories.make_pool()
    subjects = [access.decoy(pool, factories.number()).id for _ in range(PEOPLE)]
    for subject in subjects:
        lockout.take_guess(pool, subject, kind)

    def guess() -> None:
        for _ in range(TURNS):
            for subject in subjects:
                lockout.take_guess(pool, subject, kind)
                lockout.clear(pool, subject, kind)

    assert_changed_in_place("guess", guess, 2 * PEOPLE * TURNS)
