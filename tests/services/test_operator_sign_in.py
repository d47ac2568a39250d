"""How operators prove themselves: passwords, authenticators, and the link that signs in by itself in development."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
from collections.abc import Callable

import pyotp
import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from identity.foundation import clock, errors
from identity.foundation.actor import Actor
from identity.models import Operator
from pools.services.operators import operator_sign_in, operators
from tests.factories import BY, number
from tests.services.conftest import VISITOR, at_once, overloaded

PASSWORD = "Correct-horse-of-the-installation-1"
HERE = Actor.visitor(address="127.0.0.1")


@pytest.fixture
def operator(transactional_db: None) -> Operator:
    return operators.create(f"operator-{number()}", password=PASSWORD, by=BY)


def test_an_operator_who_is_turned_away_has_not_guessed(operator: Operator) -> None:
    with overloaded():
        for _ in range(30):
            with pytest.raises(errors.Overloaded):
                operator_sign_in.check_password(operator.username, PASSWORD, by=VISITOR)

    assert operator_sign_in.check_password(operator.username, PASSWORD, by=VISITOR) == operator


def test_an_authenticator_of_before_its_seed_was_sealed_counts_on(operator: Operator, settings: Settings) -> None:
    device = TOTPDevice.objects.create(user=operator, name="authenticator", confirmed=True)
    oldest = base64.b64decode(settings.SECRET_KEYS_FILE.read_text().split()[-1])
    permanent = hashlib.sha256(hmac.digest(oldest, b"permanent:operator-totp\0", "sha256")).digest()
    seed = hmac.digest(permanent, f"operator-totp:{operator.id}:{device.key}".encode(), "sha256")[:20]

    importlib.import_module("identity.migrations.0002_operator_seed").keep_seeds(apps, connection.schema_editor())

    code = pyotp.TOTP(base64.b32encode(seed).decode()).at(clock.epoch())
    assert operator_sign_in.check_code(operator, code, by=VISITOR) == device


def test_wrong_passwords_lock_an_operator_out(operator: Operator) -> None:
    for _ in range(5):
        with pytest.raises(errors.PasswordIncorrect):
            operator_sign_in.check_password(operator.username, "Wrong-horse-1", by=VISITOR)

    with pytest.raises(errors.LockedOut):
        operator_sign_in.check_password(operator.username, PASSWORD, by=VISITOR)


def test_an_authenticator_without_a_seed_is_none(operator: Operator) -> None:
    TOTPDevice.objects.create(user=operator, name="authenticator", confirmed=True)  # as the version before made it

    with pytest.raises(errors.TotpNotFound):
        operator_sign_in.check_code(operator, "123456", by=VISITOR)


def test_a_one_step_link_is_good_once_whoever_races(operator: Operator) -> None:
    token = operator_sign_in.one_step_link(operator, by=BY)
    looked = operator_sign_in.look_at_link(token, by=HERE)

    won = at_once(4, lambda _: operator_sign_in.spend_link(token, by=HERE))

    assert (looked.operator, looked.one_step) == (operator, True)
    assert [one.operator for one in won if not isinstance(one, BaseException)] == [operator]
    assert {type(one) for one in won if isinstance(one, BaseException)} == {operator_sign_in.LinkRefused}
    with pytest.raises(operator_sign_in.LinkRefused):
        operator_sign_in.look_at_link(token, by=HERE)


def anew(who: Operator, _: Settings) -> None:
    operator_sign_in.one_step_link(who, by=BY)


def with_a_new_password(who: Operator, _: Settings) -> None:
    operators.set_password(who, "Another-horse-of-the-installation-1", by=BY)


def disabled(who: Operator, _: Settings) -> None:
    operators.set_active(who, False, by=BY)


def in_production(_: Operator, settings: Settings) -> None:
    settings.MODE = "production"


def at_a_name_of_the_network(_: Operator, settings: Settings) -> None:
    settings.CONSOLE_URL = "http://cognate.lan:8000"


@pytest.mark.parametrize("change", [anew, with_a_new_password, disabled, in_production, at_a_name_of_the_network])
def test_a_one_step_link_ends(operator: Operator, settings: Settings, change: Callable[..., None]) -> None:
    token = operator_sign_in.one_step_link(operator, by=BY)
    assert operator_sign_in.look_at_link(token, by=HERE)

    change(operator, settings)

    for ask in (operator_sign_in.look_at_link, operator_sign_in.spend_link):
        with pytest.raises(operator_sign_in.LinkRefused):
            ask(token, by=HERE)


def test_a_one_step_link_ends_after_half_an_hour(operator: Operator) -> None:
    token = operator_sign_in.one_step_link(operator, by=BY)

    after = time_machine.travel(clock.now() + operator_sign_in.LINK_LIFE, tick=False)
    with after, pytest.raises(operator_sign_in.LinkRefused):
        operator_sign_in.spend_link(token, by=HERE)

    assert operator_sign_in.spend_link(token, by=HERE).one_step


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", ""])
def test_a_one_step_link_is_for_this_machine(operator: Operator, address: str) -> None:
    token = operator_sign_in.one_step_link(operator, by=BY)

    for ask in (operator_sign_in.look_at_link, operator_sign_in.spend_link):
        with pytest.raises(operator_sign_in.LinkRefused):
            ask(token, by=Actor.visitor(address=address))

    assert operator_sign_in.spend_link(token, by=Actor.visitor(address="::1")).one_step


@pytest.mark.parametrize("change", [in_production, at_a_name_of_the_network])
def test_one_step_links_are_made_for_development_on_this_machine_alone(
    operator: Operator, settings: Settings, change: Callable[..., None]
) -> None:
    change(operator, settings)

    with pytest.raises(operator_sign_in.LinkRefused):
        operator_sign_in.one_step_link(operator, by=BY)


@pytest.mark.parametrize("name", ["ada\u3164", "a\u115fda", " ada", "ada\u200b"], ids=ascii)
def test_no_operator_is_called_what_nobody_sees_all_of(transactional_db: None, name: str) -> None:
    with pytest.raises(errors.Invalid):
        operators.create(name, password=PASSWORD, by=BY)
