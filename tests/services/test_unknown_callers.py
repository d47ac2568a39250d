"""What unknown callers cause to be written: one audit row a subject, kind and minute, and none for good."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.models import AppClient, AuditEvent, AuditPersonal, IdentityPool, PeriodicTask, UserPool
from pools.services import audit, housekeeping
from pools.services.audit import Tag
from pools.services.identity_pools import identity_pools
from pools.services.operators import operator_sign_in
from pools.services.people import passwords
from pools.services.pools import signing_keys
from pools.services.sign_up import sign_up
from tests import factories
from tests.services.conftest import VISITOR, at_once
from tests.services.test_audit import columns, digest_of

OTHER = Actor.visitor(address="192.0.2.99")
NAME = "alice@example.com"


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """Stop the clock within a minute."""
    tomorrow = (clock.now() + timedelta(days=1)).replace(minute=0, second=20, microsecond=0)
    with time_machine.travel(tomorrow, tick=False) as travel:
        yield travel


def refuse(subject: str, *, pool: UserPool | None = None, by: Actor = VISITOR, **detail: str) -> None:
    """Refuse somebody a code."""
    audit.record(Tag.CODE_REFUSED, by=by, pool=pool, subject=subject, outcome="refused", detail=detail)


def rows() -> list[AuditEvent]:
    """Return what unknown callers left."""
    return list(audit.of_unknown_callers().order_by("written_at", "id"))


def test_one_rule_says_which_rows_pass_to_whoever_writes_and_to_whoever_purges(transactional_db: None) -> None:
    wanted = set()
    actors = (VISITOR, Actor.user("u"), Actor.operator("o"), Actor.client("c"), Actor.system())
    for number, (tag, by, outcome) in enumerate(itertools.product(Tag, actors, ("done", "refused"))):
        given: list[dict[str, Any]] = [{}]
        if "member" in audit.DETAIL.get(tag, ()):
            given = [{"member": True}, {"member": False}]
        for detail in given:
            subject = f"{number}:{detail}"
            audit.record(tag, by=by, subject=subject, outcome=outcome, detail=detail)
            if audit.is_of_unknown_caller(tag, outcome, detail, by=by):
                wanted.add(subject)

    assert {row.subject for row in rows()} == wanted
    done = {(row.tag, row.detail.get("member")) for row in rows() if row.outcome == "done"}
    guests = {(tag, False) for tag in ("identity_created", "identity_token_issued", "credentials_issued")}
    assert done == {("code_sent", None), *guests}
    assert {row.actor_kind for row in rows()} == {"visitor"}


def test_a_minute_keeps_the_first_of_each_kind_and_the_next_begins_anew(
    pool: UserPool, noon: time_machine.Traveller
) -> None:
    other = factories.make_pool()
    for by in (VISITOR, OTHER):
        refuse("s", pool=pool, by=by, purpose="recovery")
        refuse("s", pool=pool, by=by, purpose="sign_up")
        refuse("s", pool=other, by=by, purpose="recovery")
        refuse("t", pool=pool, by=by, purpose="recovery")
    noon.shift(timedelta(seconds=39))
    refuse("s", pool=pool, purpose="recovery")
    assert len(rows()) == 4
    sides = AuditPersonal.objects.filter(id__in=[row.id for row in rows()])
    assert [side.values for side in sides] == [{"address": VISITOR.address}] * 4

    noon.shift(timedelta(seconds=1))
    refuse("s", pool=pool, purpose="recovery")

    assert len(rows()) == 5
    assert [names.moment_of(row.id).second for row in rows()] == [0] * 5
    assert [row["tag"] for row in columns() if row["digest"] != digest_of(row)] == []


def test_what_is_proven_leaves_a_row_each_time(pool: UserPool, noon: time_machine.Traveller) -> None:
    for _ in range(3):
        refuse("s", pool=pool, by=Actor.user("s"), purpose="recovery")

    assert AuditEvent.objects.filter(tag="code_refused").count() == 3
    assert not rows()


def test_of_many_at_once_one_leaves_its_row(pool: UserPool, noon: time_machine.Traveller) -> None:
    at_once(8, lambda number: refuse("s", pool=pool, by=Actor.visitor(address=f"192.0.2.{number}")))

    (row,) = rows()
    (side,) = AuditPersonal.objects.filter(id=row.id)
    digest = hashlib.sha256(bytes(side.salt) + audit.compact(side.values)).digest()
    assert bytes(row.personal_digest) == digest


def guest_of(pool: IdentityPool) -> str:
    return identity_pools.get_id(pool, {}, by=VISITOR)


CAUSES: dict[str, Callable[[AppClient, IdentityPool], object]] = {
    "a code of a known name": lambda client, _: passwords.confirm_forgot(
        client, NAME, code="000000", password="Another-horse-1", by=VISITOR
    ),
    "a code of an unknown name": lambda client, _: passwords.confirm_forgot(
        client, "nobody@example.com", code="000000", password="Another-horse-1", by=VISITOR
    ),
    "a code to confirm": lambda client, _: sign_up.confirm(client, "nobody@example.com", code="000000", by=VISITOR),
    "a code to be sent": lambda client, _: passwords.forgot(client, NAME, by=VISITOR),
    "a taken name": lambda client, _: sign_up.remind(client, NAME, by=VISITOR),
    "an operator": lambda *_: operator_sign_in.check_password(uuid.uuid4().hex, "wrong", by=VISITOR),
    "a guest's token": lambda _, pool: identity_pools.open_id_token(pool.guest, {}, by=VISITOR),  # type: ignore[attr-defined]
    "a guest without a role": lambda _, pool: identity_pools.credentials(pool.guest, {}, by=VISITOR),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("cause", CAUSES)
def test_whatever_a_stranger_repeats_leaves_one_row_a_minute(
    cause: str, client: AppClient, noon: time_machine.Traveller
) -> None:
    signing_keys.ensure_installation_keys()
    factories.make_user(client.pool, NAME)
    settings = {"allow_unauthenticated_identities": True, "allow_classic_flow": True}
    pool = identity_pools.create("pool", settings=settings, by=factories.BY)
    pool.guest = guest_of(pool)  # type: ignore[attr-defined]
    for name in (NAME, "nobody@example.com"):
        if "code of" in cause:
            passwords.forgot(client, name, by=VISITOR)
    before = list(AuditEvent.objects.values_list("id", flat=True))

    for _ in range(4):
        with suppress(DomainError):
            CAUSES[cause](client, pool)

    tags = AuditEvent.objects.exclude(id__in=before).values_list("tag", flat=True)
    assert sorted(tags) == (["code_sent", "signed_up"] if cause == "a taken name" else list(tags)[:1])
    assert tags


def test_rows_of_strangers_go_by_their_age_and_all_others_stay(
    pool: UserPool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    settings.UNKNOWN_CALLER_AUDIT_DAYS = 30
    kept = set(AuditEvent.objects.values_list("id", flat=True))
    began = clock.now()
    with time_machine.travel(began, tick=False) as travel:
        for number in range(7):
            refuse(f"s{number}", pool=pool)
            audit.record(Tag.ACCOUNT_CONFIRMED, by=VISITOR, pool=pool, subject=f"s{number}")
            travel.shift(timedelta(seconds=1))
        refuse("u", pool=pool, by=Actor.user("u"))
        travel.shift(timedelta(days=29))
        refuse("late", pool=pool)
        assert housekeeping.purge_unknown_callers() == 0
        assert len(rows()) == 8

        travel.shift(timedelta(days=2))
        assert housekeeping.purge_unknown_callers() == 7

        (left,) = rows()
        assert left.subject == "late"
        others = AuditEvent.objects.exclude(id=left.id).exclude(id__in=kept)
        assert sorted(row.tag for row in others) == [*["account_confirmed"] * 7, "code_refused"]
        assert AuditPersonal.objects.filter(id__in=[row.id for row in others]).count() == 7
        assert AuditPersonal.objects.exclude(id__in=[row.id for row in [*others, left]]).count() == 0
        assert PeriodicTask.objects.get(name=housekeeping.UNKNOWN_CALLERS).due_at == clock.now() - timedelta(days=30)
        assert housekeeping.purge_unknown_callers() == 0
        travel.shift(timedelta(days=29))
        assert housekeeping.purge_unknown_callers() == 1


def test_a_purge_that_ends_early_goes_on_where_it_was(
    pool: UserPool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    monkeypatch.setattr(housekeeping, "PASSES", 2)
    for number in range(5):
        refuse(f"s{number}", pool=pool)

    with time_machine.travel(clock.now() + timedelta(days=91), tick=False):
        assert [housekeeping.purge() for _ in range(3)] == [4, 1, 0]
