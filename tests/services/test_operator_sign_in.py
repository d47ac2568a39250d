"""Operators' passwords: who is turned away by overload has not guessed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib

import pyotp
import pytest
from django.apps import apps
from django.db import connection
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from identity.foundation import clock, errors
from identity.models import Operator
from pools.services import operator_sign_in, operators
from tests.factories import BY, number
from tests.services.conftest import VISITOR, overloaded

PASSWORD = "Correct-horse-of-the-house-1"


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
