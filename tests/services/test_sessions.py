"""Sessions of browsers: what ends them, and what opens none."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine

from identity.foundation import clock
from identity.foundation.errors import AttemptTokenRefused
from pools.models import AuditEvent, BrowserSession, User, UserPool
from pools.services import assurance
from pools.services.sign_in import factors, own_factors
from pools.services.tokens import sessions
from pools.services.tokens.sessions import OpenedSession
from tests import factories


@pytest.fixture
def ann(pool: UserPool) -> User:
    """Return a person."""
    return factories.make_user(pool, "ann@example.com")


@pytest.fixture
def opened(pool: UserPool, ann: User) -> OpenedSession:
    """Return her session."""
    person = factories.person_of(pool, "ann@example.com")
    assert person.id == ann.id
    return sessions.prepare(pool, person, event_id=uuid.uuid4(), methods=["pwd"]).save()


def is_live(pool: UserPool, cookie: str) -> bool:
    """Say whether a cookie opens something."""
    return sessions.signed_in_session(pool, cookie) is not None


@pytest.mark.parametrize(("minutes", "lives"), [(59, True), (60, False)])
def test_it_ends_an_hour_after_it_began_however_much_it_is_used(
    pool: UserPool, opened: OpenedSession, minutes: int, lives: bool
) -> None:
    later = clock.now() + timedelta(minutes=minutes)
    BrowserSession.objects.filter(pk=opened.id).update(last_seen_at=later)

    with time_machine.travel(later, tick=False):
        assert is_live(pool, opened.cookie) is lives
    assert opened.max_age == 3600


def test_it_ends_an_hour_after_it_was_used_last(pool: UserPool, opened: OpenedSession) -> None:
    assert is_live(pool, opened.cookie)
    BrowserSession.objects.filter(pk=opened.id).update(last_seen_at=clock.now() - timedelta(hours=1))

    assert not is_live(pool, opened.cookie)


def test_it_ends_with_a_sign_out_which_is_recorded_once(pool: UserPool, opened: OpenedSession) -> None:
    session = sessions.signed_in_session(pool, opened.cookie)
    assert session is not None

    for _ in range(2):
        sessions.end(pool, session, by=factories.BY)

    assert not is_live(pool, opened.cookie)
    assert AuditEvent.objects.filter(pool_id=pool.pk, tag="signed_out").count() == 1


@pytest.mark.parametrize("change", [{"enabled": False}, {"epoch": 99}], ids=["disabled", "signed out everywhere"])
def test_it_is_dead_while_its_person_is(
    pool: UserPool, ann: User, opened: OpenedSession, change: dict[str, Any]
) -> None:
    User.objects.filter(pk=ann.pk).update(**change)
    assert not is_live(pool, opened.cookie)

    User.objects.filter(pk=ann.pk).update(enabled=True, epoch=ann.epoch)
    assert is_live(pool, opened.cookie)


@pytest.mark.parametrize(("methods", "lives"), [(["pwd"], False), (["pwd", "otp"], True), (["fed"], True), ([], False)])
def test_it_carries_its_person_by_all_that_signing_in_takes_whoever_saw_it(
    db: None, methods: list[str], lives: bool
) -> None:
    """A provider upstream asks for factors of its own."""
    pool = factories.make_pool(mfa="ON")
    factories.make_user(pool, "ann")
    person = factories.person_of(pool, "ann")
    assert person is not None
    cookie = sessions.prepare(pool, person, event_id=uuid.uuid4(), methods=methods).save().cookie

    assert is_live(pool, cookie) is lives
    assert sessions.live_session(pool, cookie) is not None


def test_another_secret_or_another_pool_opens_nothing(pool: UserPool, opened: OpenedSession) -> None:
    forged = base64.urlsafe_b64encode(opened.id.bytes + b"x" * sessions.SECRET).decode().rstrip("=")

    assert not is_live(pool, forged)
    assert not is_live(factories.make_pool(), opened.cookie)
    assert is_live(pool, opened.cookie)


def test_the_row_does_not_hold_the_secret(opened: OpenedSession) -> None:
    read = sessions.read_cookie(opened.cookie)
    assert read is not None
    row = BrowserSession.objects.get(pk=opened.id)

    assert read[0] == opened.id
    assert read[1] not in bytes(row.hashed)


def test_a_session_that_was_ended_meanwhile_does_not_rise_and_enrols_nothing(transactional_db: None) -> None:
    pool = factories.make_pool(mfa="OPTIONAL")
    user = factories.make_user(pool, "ann")
    person = factories.person_of(pool, "ann")
    assert person is not None
    cookie = sessions.prepare(pool, person, event_id=uuid.uuid4(), methods=["pwd"]).save().cookie
    session = sessions.signed_in_session(pool, cookie)
    assert session is not None
    seed = own_factors.enrol(pool, user, "totp", by=factories.BY)
    opening = sessions.prepare_step_up(pool, session, assurance.CODE)
    sessions.end(pool, session, by=factories.BY)

    with pytest.raises(AttemptTokenRefused):
        own_factors.prove(pool, user, "totp", pyotp.TOTP(seed).now(), enable=True, opening=opening, by=factories.BY)

    assert factors.of(user) == ()
    assert sessions.live_session(pool, opening.opened.cookie) is None
