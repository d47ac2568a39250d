"""What the sign-in machine asks, as Amazon's challenges and factors: one table, by challenge. No rule.

A row says the challenge's name, what it tells, and how its answer is read; of a second factor, also where
SetUserMFAPreference speaks of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from identity.foundation.errors import Invalid
from pools.cognito import shapes
from pools.services.sign_in import factors, sealed_attempts
from pools.services.sign_in.factors import sms, totp
from pools.services.sign_in.machine import Challenge, Challenged, SignedIn

if TYPE_CHECKING:
    from pools.models import User
    from pools.models.hot import EnrolledFactor, Person

ATTRIBUTE = "userAttributes."
Given = Mapping[str, str]


def needed(given: Given, name: str) -> str:
    """Return a parameter that must be there."""
    if name not in given:
        raise Invalid(f"Missing required parameter {name}", field=name)
    return given[name]


# -- what a challenge tells, and how its answer is read --------------------------------------------------------------


def tell_password_verifier(asked: Challenged) -> dict[str, str]:
    """Return numbers in hexadecimal, and the attempt token once more as a block to sign."""
    return {
        "SALT": f"{asked.parameters['salt']:x}",
        "SRP_B": f"{asked.parameters['server_public']:x}",
        "SECRET_BLOCK": sealed_attempts.block(asked.attempt_token),
        "USERNAME": asked.username,
    }


def read_password_verifier(given: Given) -> dict[str, Any]:
    """Read the signature that proves the password."""
    return {"signature": needed(given, "PASSWORD_CLAIM_SIGNATURE"), "timestamp": needed(given, "TIMESTAMP")}


def tell_new_password(asked: Challenged) -> dict[str, str]:
    """Return which attributes are missing, and which are known."""
    told = asked.parameters
    return {
        "requiredAttributes": json.dumps([ATTRIBUTE + name for name in told.get("required", ())]),
        "userAttributes": json.dumps(
            {name: value for name, value in told.get("attributes", {}).items() if name != "sub"}
        ),
    }


def read_new_password(given: Given) -> dict[str, Any]:
    """Read the password, and the attributes that come with it."""
    attributes = {name.removeprefix(ATTRIBUTE): value for name, value in given.items() if name.startswith(ATTRIBUTE)}
    return {"new_password": needed(given, "NEW_PASSWORD"), "attributes": attributes}


def tell_factor_setup(asked: Challenged) -> dict[str, str]:
    """Return which factors can be set up."""
    return {"MFAS_CAN_SETUP": json.dumps([CHALLENGES[kind].name for kind in asked.parameters["can_set_up"]])}


def read_nothing(given: Given) -> dict[str, Any]:
    """Read nothing: the attempt token says it all."""
    del given
    return {}


def tell_totp(asked: Challenged) -> dict[str, str]:
    """Return the name of the app."""
    name = asked.parameters.get("name")
    return {"FRIENDLY_DEVICE_NAME": name} if name else {}


def read_totp(given: Given) -> dict[str, Any]:
    """Read the app's code."""
    return {"code": needed(given, "SOFTWARE_TOKEN_MFA_CODE")}


def tell_sms(asked: Challenged) -> dict[str, str]:
    """Return where the code went, masked."""
    return {
        "CODE_DELIVERY_DELIVERY_MEDIUM": asked.parameters["medium"],
        "CODE_DELIVERY_DESTINATION": asked.parameters["destination"],
    }


def read_sms(given: Given) -> dict[str, Any]:
    """Read the code that was sent."""
    return {"code": needed(given, "SMS_MFA_CODE")}


def tell_choice(asked: Challenged) -> dict[str, str]:
    """Return the factors to choose from."""
    return {"MFAS_CAN_CHOOSE": json.dumps([CHALLENGES[kind].name for kind in asked.parameters["can_choose"]])}


def read_choice(given: Given) -> dict[str, Any]:
    """Read which factor is chosen."""
    return {"factor": BY_NAME.get(needed(given, "ANSWER"), "")}


class Row(NamedTuple):
    """A challenge of the machine as Amazon has it."""

    name: str
    tell: Callable[[Challenged], dict[str, str]]
    read: Callable[[Given], dict[str, Any]]
    preference: str = ""
    """The member of SetUserMFAPreference, of a second factor."""
    auth_factor: str = ""
    """What GetUserAuthFactors calls it, of a second factor."""


CHALLENGES: dict[str, Row] = {
    Challenge.PASSWORD_VERIFIER: Row("PASSWORD_VERIFIER", tell_password_verifier, read_password_verifier),
    Challenge.NEW_PASSWORD: Row("NEW_PASSWORD_REQUIRED", tell_new_password, read_new_password),
    Challenge.FACTOR_SETUP: Row("MFA_SETUP", tell_factor_setup, read_nothing),
    Challenge.FACTOR_CHOICE: Row("SELECT_MFA_TYPE", tell_choice, read_choice),
    totp.kind: Row("SOFTWARE_TOKEN_MFA", tell_totp, read_totp, "SoftwareTokenMfaSettings", "SOFTWARE_TOKEN"),
    sms.kind: Row("SMS_MFA", tell_sms, read_sms, "SMSMfaSettings", "SMS_OTP"),
}
BY_NAME = {row.name: challenge for challenge, row in CHALLENGES.items()}
PREFERENCES = {row.preference: kind for kind, row in CHALLENGES.items() if row.preference}


def outcome(found: Challenged | SignedIn) -> dict[str, Any]:
    """Return what the sign-in machine says as (Admin)InitiateAuth and RespondToAuthChallenge do."""
    if not isinstance(found, Challenged):
        assert found.tokens is not None  # noqa: S101 - tokens were what the attempt was for
        return {"AuthenticationResult": shapes.authentication_result(found.tokens), "ChallengeParameters": {}}
    row = CHALLENGES[found.challenge]
    return {
        "ChallengeName": row.name,
        "Session": found.attempt_token,
        "ChallengeParameters": {"USER_ID_FOR_SRP": found.username, **row.tell(found)},
    }


BY_SMS = {"DeliveryMedium": "SMS", "AttributeName": "phone_number"}
"""A member of MFAOptions, which knows this way alone."""


def mfa(user: User | Person, held: Iterable[EnrolledFactor]) -> dict[str, Any]:
    """Return the members that say which second factors somebody is asked for; none where there is none."""
    asked = [factor.kind for factor in held if factor.enabled]
    first = factors.preferred(user)
    return {
        **({"PreferredMfaSetting": CHALLENGES[first].name} if first in asked else {}),
        **({"UserMFASettingList": [CHALLENGES[kind].name for kind in asked]} if asked else {}),
    }


def mfa_of_user(user: User | Person, held: Sequence[EnrolledFactor]) -> dict[str, Any]:
    """Return the same as (Admin)GetUser tells it, which have the older word for codes by SMS too."""
    by_sms = any(factor.kind == sms.kind and factor.enabled for factor in held)
    return {**mfa(user, held), **({"MFAOptions": [BY_SMS]} if by_sms else {})}


def auth_factors(user: User | Person, held: Sequence[EnrolledFactor], *, has_password: bool) -> dict[str, Any]:
    """Return what (Admin)GetUserAuthFactors tells: which factors are asked for, and all that somebody has.

    ``ConfiguredUserAuthFactors`` names first factors and second ones, asked for or not.
    """
    configured = [*(["PASSWORD"] if has_password else []), *(CHALLENGES[factor.kind].auth_factor for factor in held)]
    return {"Username": user.username, **mfa(user, held), "ConfiguredUserAuthFactors": configured}
