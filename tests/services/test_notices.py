"""What the owner of an account is told, by mail, when its password or a factor changes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
import pytest
import time_machine

from identity.foundation import errors
from pools.models import AppClient, OutboxMessage, TotpFactor, User
from pools.services.messages import deliveries, mailbox, send_limits
from pools.services.people import passwords
from pools.services.sign_in import machine, own_factors
from pools.services.sign_in.machine import Challenge, Challenged, EndsIn
from pools.services.sign_in.own_factors import Preference
from tests import factories
from tests.factories import BY, PAGES, PASSWORD
from tests.services.conftest import code_sent_to

OTHER = "Battery-staple-8"


@pytest.fixture
def client(transactional_db: None) -> AppClient:
    return factories.make_client(factories.make_pool(mfa="OPTIONAL"), **PAGES)


def person(client: AppClient, *, verified: bool = True, invited: bool = False) -> User:
    """Make somebody whom no notice has reached."""
    make = factories.make_invited if invited else factories.make_user
    address = f"{factories.number()}@example.com"
    user = make(client.pool, email=address, email_verified="true" if verified else "false")
    OutboxMessage.objects.all().delete()
    return user


def told(user: User) -> list[tuple[str, str]]:
    """Return subject and text of the notices to somebody, oldest first."""
    rows = OutboxMessage.objects.filter(purpose="notice").count()
    deliveries.sweep()
    found = [(mail.subject, mail.body) for mail in reversed(mailbox.captured(to=str(user.email)))]
    notices = [each for each in found if "code" not in each[0].lower() or each[0].startswith("Codes")]
    assert len(notices) == rows
    return notices


def change(client: AppClient, user: User, wrong: bool) -> None:
    passwords.change(client.pool, user, previous=OTHER if wrong else PASSWORD, proposed=OTHER, by=BY)


def reset(client: AppClient, user: User, wrong: bool) -> None:
    passwords.forgot(client, user.username, by=BY)
    code = code_sent_to(str(user.email))
    given = f"{(int(code) + 1) % 10**6:06d}" if wrong else code
    passwords.confirm_forgot(client, user.username, code=given, password=OTHER, by=BY)


def set_by_operator(client: AppClient, user: User, wrong: bool) -> None:
    passwords.admin_set(client.pool, user, "weak" if wrong else OTHER, permanent=True, by=BY)


def set_for_a_while(client: AppClient, user: User, wrong: bool) -> None:
    passwords.admin_set(client.pool, user, "weak" if wrong else OTHER, permanent=False, by=BY)


def choose_own(client: AppClient, user: User, wrong: bool) -> None:
    begun = factories.begin(client, username=user.username, password=PASSWORD, ends_in=EndsIn.BROWSER, by=BY)
    assert isinstance(begun, Challenged)
    answers = {"new_password": "weak" if wrong else OTHER}
    machine.respond(client, challenge=Challenge.NEW_PASSWORD, attempt_token=begun.attempt_token, answers=answers, by=BY)


def enrol(client: AppClient, user: User, wrong: bool) -> None:
    secret = own_factors.enrol(client.pool, user, "totp", by=BY)
    own_factors.prove(client.pool, user, "totp", "12" if wrong else pyotp.TOTP(secret).now(), by=BY)


def remove(client: AppClient, user: User, wrong: bool) -> None:
    factories.give_totp(client.pool, user)
    OutboxMessage.objects.all().delete()
    if wrong:
        TotpFactor.objects.update(verified_at=None, sealed_seed=None)
    assert own_factors.remove(client.pool, user, "totp", by=BY)
    if wrong:
        raise errors.TotpNotFound


def prefer(client: AppClient, user: User, wrong: bool, *, on: bool = True) -> None:
    if not wrong:
        factories.give_totp(client.pool, user)
        TotpFactor.objects.update(enabled=not on)
        OutboxMessage.objects.all().delete()
    own_factors.set_preference(client.pool, user, {"totp": Preference(on)}, by=BY)
    own_factors.set_preference(client.pool, user, {"totp": Preference(on)}, by=BY)  # nothing changes any more


def prefer_not(client: AppClient, user: User, wrong: bool) -> None:
    prefer(client, user, wrong, on=False)
    if wrong:
        raise errors.TotpNotFound


VERBS = [
    (change, "Your password was changed"),
    (reset, "Your password was changed"),
    (set_by_operator, "Your password was changed"),
    (set_for_a_while, "You have a temporary password"),
    (choose_own, "Your password was changed"),
    (enrol, "Authenticator app added"),
    (remove, "Authenticator app removed"),
    (prefer, "Codes are asked for at sign-in"),
    (prefer_not, "Codes are no longer asked for at sign-in"),
]
Verb = Callable[[AppClient, User, bool], None]


@pytest.mark.parametrize("wrong", [False, True], ids=["done", "refused"])
@pytest.mark.parametrize(("verb", "subject"), VERBS)
@time_machine.travel("2026-11-28T18:05:00+01:00", tick=False)
def test_each_change_is_told_once_and_a_refused_one_never(
    client: AppClient, verb: Verb, subject: str, *, wrong: bool
) -> None:
    user = person(client, invited=verb is choose_own)

    if wrong:
        with pytest.raises(errors.DomainError):
            verb(client, user, wrong)
        assert told(user) == []
        return
    verb(client, user, wrong)

    [(said, text)] = told(user)
    assert said == subject
    assert "28 November 2026, 17:05 UTC" in text
    assert f"/forgotPassword?client_id={client.client_id}" in text
    assert "If it was not you" in text
    assert not re.search(r"\b\d{6}\b", text)


def test_an_address_that_nobody_proved_is_told_nothing(client: AppClient) -> None:
    user = person(client, verified=False)

    change(client, user, wrong=False)

    assert not OutboxMessage.objects.filter(purpose="notice").exists()


def test_where_no_app_has_pages_the_mail_names_none(transactional_db: None) -> None:
    client = factories.make_client(factories.make_pool(mfa="OPTIONAL"))
    user = person(client)

    change(client, user, wrong=False)

    [(_, text)] = told(user)
    assert "http" not in text
    assert "tell the people who run this service" in text


def test_notices_keep_no_code_back(client: AppClient) -> None:
    user = person(client)
    for number in range(send_limits.PER_ADDRESS_ALL + 3):
        passwords.admin_set(client.pool, user, f"{OTHER}{number}", permanent=True, by=BY)

    passwords.forgot(client, user.username, by=BY)

    assert code_sent_to(str(user.email))
