"""Who knows of a browser's session: noted once, handed over with it, gone with it."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from identity.foundation import clock
from identity.foundation.names import uuid7
from pools.models import SamlApplication, SamlParticipant, UserPool, hot
from pools.models.hot import BrowserSession
from pools.services import access, housekeeping
from pools.services.people import users
from pools.services.tokens import participants, sessions
from tests import factories
from tests.factories import BY

PERSISTENT, TRANSIENT = "persistent", "transient"


@pytest.fixture
def application(pool: UserPool) -> SamlApplication:
    """Return an application."""
    return factories.make_saml_application(factories.make_client(pool, **factories.PAGES))


def session_of(pool: UserPool, name: str = "") -> BrowserSession:
    """Return a session of somebody."""
    user = factories.make_user(pool, name or f"p{factories.number()}@example.org")
    person = factories.person_of(pool, user.username)
    opened = sessions.prepare(pool, person, event_id=uuid7(), methods=["pwd"]).save()
    found = hot.browser_session(pool.pk, opened.id)
    assert found is not None
    return found


def test_an_application_is_noted_once_for_each_way_of_naming(pool: UserPool, application: SamlApplication) -> None:
    session, names = session_of(pool), map(str, count())

    first = participants.join(application, session, TRANSIENT, lambda: next(names))
    again = participants.join(application, session, TRANSIENT, lambda: next(names))
    other = participants.join(application, session, PERSISTENT, lambda: "ada")

    assert (again.id, again.name, again.session_index) == (first.id, "0", first.session_index)
    assert other.session_index != first.session_index
    assert SamlParticipant.objects.filter(pool_id=pool.pk).count() == 2


def test_a_name_that_changed_is_the_one_by_which_somebody_is_found(
    pool: UserPool, application: SamlApplication
) -> None:
    session = session_of(pool)
    before = participants.join(application, session, "emailAddress", lambda: "ada@example.org")

    after = participants.join(application, session, "emailAddress", lambda: "countess@example.org")

    assert (after.id, after.session_index) == (before.id, before.session_index)
    assert SamlParticipant.objects.get(pool_id=pool.pk).name == "countess@example.org"


def test_a_session_that_takes_anothers_place_is_known_to_the_same(pool: UserPool, application: SamlApplication) -> None:
    session, later = session_of(pool), session_of(pool)
    participants.join(application, session, PERSISTENT, lambda: "ada")

    participants.hand_over(pool.pk, session.id, later.id, seconds=60)

    [row] = SamlParticipant.objects.filter(pool_id=pool.pk)
    assert row.session_id == later.id
    assert timedelta() < row.expires_at - clock.now() <= timedelta(seconds=60)


def test_a_session_that_proves_more_is_known_to_the_same(pool: UserPool, application: SamlApplication) -> None:
    session = session_of(pool)
    participants.join(application, session, PERSISTENT, lambda: "ada")

    opened = sessions.prepare_step_up(pool, session, "otp").save()

    assert [row.session_id for row in SamlParticipant.objects.filter(pool_id=pool.pk)] == [opened.id]


def test_what_is_noted_goes_a_day_after_its_session_and_with_its_person(
    pool: UserPool, application: SamlApplication
) -> None:
    kept, old, gone = session_of(pool), session_of(pool), session_of(pool, "gone@example.org")
    for session in (kept, old, gone):
        participants.join(application, session, PERSISTENT, lambda: "ada")
    rows = SamlParticipant.objects.filter(pool_id=pool.pk)
    rows.filter(session_id=old.id).update(expires_at=clock.now() - timedelta(days=2))
    users.delete(pool, access.user(pool, "gone@example.org"), by=BY)

    housekeeping.purge()

    assert [row.session_id for row in rows.all()] == [kept.id]
