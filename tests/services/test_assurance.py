"""What a sign-in takes: one predicate over proofs, whoever gave them."""

from __future__ import annotations

import pytest

from pools.models import UserPool
from pools.models.hot import EnrolledFactor, Person
from pools.services import assurance

SOMEBODY = Person(**dict.fromkeys(Person._fields))  # type: ignore[arg-type]  # nothing else of them is asked


@pytest.mark.parametrize(
    ("mfa", "asked_for", "methods", "enough"),
    [
        ("OFF", False, ["pwd"], True),
        ("OFF", True, ["pwd"], True),
        ("OPTIONAL", False, ["pwd"], True),
        ("OPTIONAL", True, ["pwd"], False),
        ("OPTIONAL", True, ["pwd", "otp"], True),
        ("ON", False, ["pwd"], False),
        ("ON", False, ["pwd", "otp"], True),
        ("OFF", False, [], False),
        ("OFF", False, ["otp"], False),
        ("ON", True, ["otp", "otp"], False),
        ("OFF", False, ["something"], False),
        ("OPTIONAL", True, ["pwd", "sms"], True),
        ("ON", True, ["fed"], True),
        ("OPTIONAL", True, ["fed"], True),
    ],
)
def test_a_sign_in_is_enough_by_what_was_proven_and_what_is_asked(
    mfa: str, asked_for: bool, methods: list[str], enough: bool
) -> None:
    person = SOMEBODY._replace(held=(EnrolledFactor("totp", "", enabled=asked_for),))

    assert assurance.is_enough(UserPool(mfa=mfa, totp_enabled=True), person, methods) is enough


def test_a_factor_that_the_pool_no_longer_has_is_asked_of_nobody() -> None:
    person = SOMEBODY._replace(held=(EnrolledFactor("sms", "", enabled=True),))

    assert assurance.is_enough(UserPool(mfa="OPTIONAL", totp_enabled=True), person, ["pwd"])
    assert not assurance.is_enough(UserPool(mfa="OPTIONAL", sms_enabled=True), person, ["pwd"])
    assert not assurance.is_enough(UserPool(mfa="ON", totp_enabled=True), person, ["pwd"])
