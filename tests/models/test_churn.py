"""Rows that change at each sign-in or refresh change in place (HOT): PostgreSQL's own counters say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from pools.models import Guess
from pools.services import access, configuration, lockout
from pools.services.sign_in.machine import SignedIn
from pools.services.tokens import refresh
from tests import factories

PEOPLE, TURNS = 10, 4
"""The turns of one row fit into what its page keeps free. Whether older ones are cleared away meanwhile is not asked: a
transaction open in any database of the server keeps PostgreSQL from that."""


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


def test_a_refresh_family_turns_in_place(transactional_db: None) -> None:
    configuration.cache.forget_everything()
    pool = factories.make_pool()
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    client = factories.make_client(pool, explicit_auth_flows=flows, refresh_token_rotation={"feature": "ENABLED"})

    with updates_of("refresh_family") as updates:
        for _ in range(PEOPLE):
            name = factories.make_user(pool).username
            done = factories.begin(client, username=name, password=factories.PASSWORD, by=factories.BY)
            assert isinstance(done, SignedIn)
            assert done.tokens
            token = done.tokens.refresh
            for _ in range(TURNS):
                token = refresh.refresh(client, token or "", by=factories.BY).refresh

    assert updates == [PEOPLE * TURNS] * 2


@pytest.mark.parametrize("kind", [Guess.Kind.PASSWORD, Guess.Kind.TOTP])
def test_a_guess_is_counted_in_place(kind: Guess.Kind, transactional_db: None) -> None:
    configuration.cache.forget_everything()
    pool = factories.make_pool()
    subjects = [access.decoy(pool, factories.number()).id for _ in range(PEOPLE)]

    with updates_of("guess") as updates:
        for subject in subjects:
            lockout.take_guess(pool, subject, kind)  # makes the row
            for _ in range(TURNS // 2):
                lockout.take_guess(pool, subject, kind)
                lockout.clear(pool, subject, kind)

    assert updates == [PEOPLE * TURNS] * 2
