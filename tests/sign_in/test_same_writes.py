"""What a wrong guess writes to the disk says nothing of whether there is an account: WAL of known and unknown names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from statistics import median, mode
from typing import Any

import pytest
from django.db import connection

from identity.foundation import errors
from pools.models import AppClient, UserPool
from pools.services.people import passwords
from pools.services.sign_in import flows, machine
from pools.services.sign_in.machine import EndsIn
from pools.services.sign_up import sign_up
from tests import factories
from tests.sign_in.conftest import BY

NAMES, ROUNDS = 10, 3
"""Thirty calls of each, and fewer rounds than lock a name."""
SLACK = 32
"""Bytes a call, of some 600 to 900: an event names the person, where there is one, by 16 bytes in its row and at most
16 in an index. That is far below a block of the disk."""
UNUSED = "TRUNCATE guess, one_time_code, attempt, spent, outbox, auth_event, audit_event, audit_personal"
"""Pages of whose room no test before has taken any."""
Call = Callable[[AppClient, str], object]


def wrong_password(client: AppClient, name: str) -> object:
    return factories.begin(client, username=name, password="Wrong-horse-1", ends_in=EndsIn.TOKENS, by=BY)


def wrong_signature(client: AppClient, name: str) -> object:
    begun: Any = machine.begin(
        flows.by_api(client, "USER_SRP_AUTH"), username=name, answers={"client_public": "2"}, by=BY
    )
    answers = {"signature": "", "timestamp": "Tue Mar 3 04:05:06 UTC 2026"}
    return machine.respond(client, challenge=begun.challenge, attempt_token=begun.attempt_token, answers=answers, by=BY)


def wrong_recovery_code(client: AppClient, name: str) -> object:
    return passwords.confirm_forgot(client, name, code="000000", password="Battery-staple-8", by=BY)


def wrong_sign_up_code(client: AppClient, name: str) -> object:
    return sign_up.confirm(client, name, code="000000", by=BY)


def wal() -> tuple[int, int]:
    """Return how many records and bytes this connection has written to the WAL, nobody else's among them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT wal_records, wal_bytes FROM pg_stat_get_backend_wal(pg_backend_pid())")
        row = cursor.fetchone()
    assert row
    return int(row[0]), int(row[1])


def written(call: Call, client: AppClient, name: str) -> tuple[int, int]:
    """Return records and bytes of one call."""
    before = wal()
    with suppress(errors.DomainError):
        call(client, name)
    return tuple(now - then for now, then in zip(wal(), before, strict=True))  # type: ignore[return-value]


@pytest.mark.parametrize("call", [wrong_password, wrong_signature, wrong_recovery_code, wrong_sign_up_code])
def test_a_wrong_guess_writes_as_much_for_an_unknown_user(call: Call, pool: UserPool) -> None:
    client = factories.make_client(pool, explicit_auth_flows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"])
    known = [
        factories.make_user(pool, email=f"{factories.number()}@example.com", email_verified="true").username
        for _ in range(NAMES)
    ]
    unknown = [f"person{factories.number()}" for _ in range(NAMES)]
    with connection.cursor() as cursor:
        cursor.execute(UNUSED)
    # By turns: whether an update stays on its page is the page's matter, which both shall share.
    for name in chain(*zip(known, unknown, strict=True)):
        for ask in (passwords.forgot, sign_up.resend):
            with suppress(errors.DomainError):
                ask(client, name, by=BY)  # so that there is a code to guess
    written(call, client, factories.make_user(pool).username)  # catalogues are read from now on

    # By turns, so that what a growing table costs now and then falls on both.
    for number in range(ROUNDS):
        found: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for pair in zip(known, unknown, strict=True):
            for name in pair:
                found[name in known].append(written(call, client, name))

        of_known, of_unknown = usual(found[True]), usual(found[False])
        # A name's refusals leave one audit row a minute: of what writes nothing else only the first writes, for both.
        assert number or of_known[0] > 0, found
        assert of_known[0] == of_unknown[0], found
        assert abs(of_known[1] - of_unknown[1]) <= SLACK, found


def usual(calls: list[tuple[int, int]]) -> tuple[int, float]:
    """Return how many records most calls write, and how many bytes these: some have a page put in order beside it."""
    records = mode(each[0] for each in calls)
    return records, median(each[1] for each in calls if each[0] == records)
