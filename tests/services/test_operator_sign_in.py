"""Operators' passwords: who is turned away by overload has not guessed."""

from __future__ import annotations

import pytest

from identity.foundation import errors
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


def test_wrong_passwords_lock_an_operator_out(operator: Operator) -> None:
    for _ in range(5):
        with pytest.raises(errors.PasswordIncorrect):
            operator_sign_in.check_password(operator.username, "Wrong-horse-1", by=VISITOR)

    with pytest.raises(errors.LockedOut):
        operator_sign_in.check_password(operator.username, PASSWORD, by=VISITOR)
