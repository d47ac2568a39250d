"""Law 5 as a table: five operations, whatever state a name is in, with existence hidden and shown.

Where it is hidden, no state is told from a name that nobody has: neither by the answer nor by the statements.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pools.models import AppClient, OutboxMessage, User, UserPool
from pools.services import access
from pools.services.people import users
from tests import factories
from tests.contract.conftest import PASSWORD, Wire

Told = tuple[str, str]
CONFIGURATION = re.compile(r'FROM "?(user_pool|app_client|client_secret)"?\b')
SENT: Told = ("EMAIL", "s***@e***")
EXPIRED: Told = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
MISMATCH: Told = ("CodeMismatchException", "Invalid verification code provided, please try again.")
TOO_OFTEN: Told = ("TooManyFailedAttemptsException", "Too many failed attempts, please request a new code.")
LIMITED: Told = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
EXISTS: Told = ("UsernameExistsException", "An account with the given email already exists.")
NO_USER: Told = ("UserNotFoundException", "User does not exist.")
UNKNOWN_USER: Told = ("UserNotFoundException", "Username/client id combination not found.")
CONFIRMED: Told = ("InvalidParameterException", "User is already confirmed.")
DISABLED: Told = ("NotAuthorizedException", "User is disabled.")
STATE: Told = ("NotAuthorizedException", "User password cannot be reset in the current state.")
NO_ADDRESS: Told = (
    "InvalidParameterException",
    "Cannot reset password for the user as there is no registered/verified email or phone_number",
)

STATES: dict[str, dict[str, Any] | None] = {
    "unknown": None,
    "unconfirmed": {"status": "UNCONFIRMED", "email_verified": False},
    "confirmed": {"status": "CONFIRMED"},
    "disabled": {"status": "CONFIRMED", "enabled": False},
    "invited": {"status": "FORCE_CHANGE_PASSWORD"},
    "reset required": {"status": "RESET_REQUIRED"},
    "without a verified address": {"status": "CONFIRMED", "email_verified": False},
    "external": {"status": "EXTERNAL_PROVIDER"},
}
GIVEN: dict[str, dict[str, str]] = {
    "ResendConfirmationCode": {},
    "ConfirmSignUp": {"ConfirmationCode": "no-code"},
    "ForgotPassword": {},
    "ConfirmForgotPassword": {"ConfirmationCode": "no-code", "Password": PASSWORD},
}
HIDDEN: dict[str, Told] = {
    "ResendConfirmationCode": SENT,
    "ConfirmSignUp": EXPIRED,
    "ForgotPassword": SENT,
    "ConfirmForgotPassword": EXPIRED,
}


def done(status: str) -> Told:
    """Return how ConfirmSignUp refuses who is confirmed."""
    return "NotAuthorizedException", f"User cannot be confirmed. Current status is {status}"


SHOWN: dict[str, dict[str, Told]] = {
    "unknown": {
        "ResendConfirmationCode": UNKNOWN_USER,
        "ConfirmSignUp": UNKNOWN_USER,
        "ForgotPassword": NO_USER,
        "ConfirmForgotPassword": NO_USER,
    },
    "unconfirmed": {"ResendConfirmationCode": SENT, "ConfirmSignUp": EXPIRED, "ForgotPassword": NO_ADDRESS},
    "confirmed": {"ConfirmSignUp": done("CONFIRMED"), "ForgotPassword": SENT},
    "disabled": {"ConfirmSignUp": done("CONFIRMED"), "ForgotPassword": DISABLED},
    "invited": {"ConfirmSignUp": done("FORCE_CHANGE_PASSWORD"), "ForgotPassword": STATE},
    "reset required": {"ConfirmSignUp": done("RESET_REQUIRED"), "ForgotPassword": SENT},
    "without a verified address": {"ConfirmSignUp": done("CONFIRMED"), "ForgotPassword": NO_ADDRESS},
    "external": {"ConfirmSignUp": done("EXTERNAL_PROVIDER"), "ForgotPassword": STATE},
}
"""Where nothing else is written: ``CONFIRMED`` and ``EXPIRED``."""
REST: dict[str, Told] = {"ResendConfirmationCode": CONFIRMED, "ConfirmForgotPassword": EXPIRED}


def named(pool: UserPool, state: str) -> str:
    """Return a name in a state."""
    name = f"s{factories.number()}@example.com"
    wanted = STATES[state]
    if wanted is not None:
        user = users.create(pool, name, attributes={"email_verified": "true"}, message="suppress", by=factories.BY)
        User.objects.filter(pk=user.pk).update(**wanted)
    return name


def tell(wire: Wire, client: AppClient, operation: str, name: str, **given: str) -> Told:
    """Return code and text of an answer, or where a message went."""
    body = {"ClientId": client.client_id, "Username": name, **GIVEN.get(operation, {}), **given}
    answer = wire.raw(operation, json.dumps(body).encode())
    told = json.loads(answer.body or b"{}")
    if answer.status != 200:
        return told["__type"], told["message"]
    details = told.get("CodeDeliveryDetails", {})
    assert details.get("AttributeName") == {"EMAIL": "email", "SMS": "phone_number"}.get(details.get("DeliveryMedium"))
    return details.get("DeliveryMedium", ""), details.get("Destination", "")


def statements(wire: Wire, client: AppClient, operation: str, name: str) -> tuple[Told, list[str]]:
    """Return an answer and the statements that it took, values apart."""
    with CaptureQueriesContext(connection) as seen:
        told = tell(wire, client, operation, name)
    heads = [each["sql"].split(" WHERE ")[0].split(" VALUES ")[0] for each in seen]
    # What a process holds of pools and apps is read anew by the clock, whoever asks.
    return told, [re.sub(r"'[^']*'| ?-?\d+", "?", head) for head in heads if not CONFIGURATION.search(head)]


@pytest.fixture
def pool(wire: Wire) -> UserPool:
    """Return a pool where people sign in by their address."""
    return factories.make_pool(username_attributes=["email"], auto_verified_attributes=["email"])


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_answered_as_the_table_says(wire: Wire, pool: UserPool, state: str) -> None:
    hiding = factories.make_client(pool)
    showing = factories.make_client(pool, prevent_user_existence_errors="LEGACY")
    name, nobody, other = named(pool, state), named(pool, "unknown"), named(pool, state)
    steps = ["ConfirmSignUp", "ConfirmForgotPassword", "ResendConfirmationCode", "ForgotPassword"]

    for operation in steps:
        shown = {**REST, **SHOWN[state]}[operation]
        assert tell(wire, showing, operation, other) == shown, operation
        told = statements(wire, hiding, operation, name)
        assert told == statements(wire, hiding, operation, nobody), operation
        assert told[0] == HIDDEN[operation], operation

    # A code was asked for by now: guessed at alike, and asked for again until the limit that holds for each name.
    for operation in ("ConfirmSignUp", "ConfirmForgotPassword"):
        told_of = {who: [statements(wire, hiding, operation, who) for _ in range(6)] for who in (name, nobody)}
        assert told_of[name] == told_of[nobody], operation
        assert [told for told, _ in told_of[name]] == [MISMATCH] * 5 + [TOO_OFTEN]
    for operation in ("ResendConfirmationCode", "ForgotPassword"):
        told_of = {who: [statements(wire, hiding, operation, who) for _ in range(5)] for who in (name, nobody)}
        assert told_of[name] == told_of[nobody], operation
        assert [told for told, _ in told_of[name]] == [SENT] * 4 + [LIMITED]

    if state != "unknown":
        # Cognito says who has an account to whoever signs up.
        for client in (hiding, showing):
            assert tell(wire, client, "SignUp", name, Password=PASSWORD) == EXISTS


WRONG: Told = ("NotAuthorizedException", "Incorrect username or password.")
STAMP = "Tue Mar 3 04:05:06 UTC 2026"
SRP = {"explicit_auth_flows": ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"]}


def begun(wire: Wire, client: AppClient, name: str) -> dict[str, str]:
    """Begin by SRP; return what the challenge tells."""
    given = {"USERNAME": name, "SRP_A": "2"}
    asked = wire.ask("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters=given)
    assert asked["ChallengeName"] == "PASSWORD_VERIFIER"
    return dict(asked["ChallengeParameters"])


@pytest.mark.parametrize("state", STATES)
def test_an_exchange_goes_as_far_in_every_state(wire: Wire, pool: UserPool, state: str) -> None:
    client = factories.make_client(pool, **SRP)
    heads: list[list[str]] = []
    for name in (named(pool, state), named(pool, "unknown")):
        with CaptureQueriesContext(connection) as seen:
            told = begun(wire, client, name)
            answers = {
                "USERNAME": told["USERNAME"],
                "PASSWORD_CLAIM_SECRET_BLOCK": told["SECRET_BLOCK"],
                "PASSWORD_CLAIM_SIGNATURE": "AAAA",
                "TIMESTAMP": STAMP,
            }
            given = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": answers}
            assert wire.refusal("RespondToAuthChallenge", ClientId=client.client_id, **given) == WRONG
        heads.append([each["sql"].split("VALUES")[0][:60] for each in seen if not CONFIGURATION.search(each["sql"])])
        assert told.keys() == {"SALT", "SRP_B", "SECRET_BLOCK", "USERNAME", "USER_ID_FOR_SRP"}
        assert told["USERNAME"] == told["USER_ID_FOR_SRP"] == str(UUID(told["USERNAME"], version=4))
        again = begun(wire, client, name)
        assert [again[kept] == told[kept] for kept in ("SALT", "USERNAME", "SRP_B")] == [True, True, False]

    assert heads[0] == heads[1]


def test_the_right_code_sent_twice_hears_what_became_of_it_and_no_other(wire: Wire, pool: UserPool) -> None:
    client, name = factories.make_client(pool), f"s{factories.number()}@example.com"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.randbelow", lambda _: 424242)
        assert tell(wire, client, "SignUp", name, Password=PASSWORD) == SENT

    assert tell(wire, client, "ConfirmSignUp", name, ConfirmationCode="424242") == ("", "")
    assert tell(wire, client, "ConfirmSignUp", name, ConfirmationCode="424242") == done("CONFIRMED")
    assert tell(wire, client, "ConfirmSignUp", name, ConfirmationCode="424243") == EXPIRED


BOTH = ["email", "phone_number"]


def recovery(*names: str) -> dict[str, Any]:
    """Return the setting that has these means of recovery, best first."""
    means = [{"name": f"verified_{name}", "priority": at} for at, name in enumerate(names, 1)]
    return {"account_recovery_setting": {"recovery_mechanisms": means}}


@pytest.mark.parametrize(
    ("settings", "name", "confirmed", "recovered"),
    [
        ({"auto_verified_attributes": ["email"]}, "bob", "EMAIL", "EMAIL"),
        ({"auto_verified_attributes": ["phone_number"]}, "bob", "SMS", "SMS"),
        ({"auto_verified_attributes": BOTH}, "bob", "SMS", "EMAIL"),
        ({"auto_verified_attributes": BOTH, **recovery("email", "phone_number")}, "bob", "SMS", "EMAIL"),
        ({"auto_verified_attributes": BOTH, **recovery("phone_number")}, "bob@example.com", "EMAIL", "SMS"),
        ({"auto_verified_attributes": BOTH, **recovery("email")}, "+4915112345678", "SMS", "EMAIL"),
        ({"auto_verified_attributes": BOTH, "username_attributes": BOTH}, "+4915112345678", "SMS", "SMS"),
        ({"auto_verified_attributes": BOTH, "username_attributes": BOTH}, "bob@example.com", "EMAIL", "EMAIL"),
        ({"auto_verified_attributes": ["email"], **recovery("phone_number", "email")}, "bob", "EMAIL", "EMAIL"),
    ],
)
def test_a_message_that_nobody_gets_goes_where_the_pools_would(
    wire: Wire, settings: dict[str, Any], name: str, confirmed: str, recovered: str
) -> None:
    client = factories.make_client(factories.make_pool(**settings))

    for operation, medium in (("ResendConfirmationCode", confirmed), ("ForgotPassword", recovered)):
        told, destination = tell(wire, client, operation, name)

        assert told == medium
        if (medium == "EMAIL") == ("@" in name) and name != "bob":
            assert destination == ("b***@e***" if medium == "EMAIL" else "+*********5678")
        else:
            assert re.fullmatch(r"[a-z]\*\*\*@[a-z]\*\*\*" if medium == "EMAIL" else r"\+\*{7}\d{4}", destination)
        assert tell(wire, client, operation, name) == (told, destination)
    assert not OutboxMessage.objects.filter(pool_id=client.pool_id, state="pending").exists()


@pytest.mark.parametrize("mode", ["ENABLED", "LEGACY"])
def test_a_pool_that_sends_no_codes_says_so_of_every_name(wire: Wire, mode: str) -> None:
    pool = factories.make_pool(
        account_recovery_setting={"recovery_mechanisms": [{"name": "admin_only", "priority": 1}]}
    )
    client = factories.make_client(pool, prevent_user_existence_errors=mode)
    known = factories.make_user(pool).username
    User.objects.filter(pk=access.user(pool, known).pk).update(status="UNCONFIRMED")

    for name in (known, "nobody"):
        resent = tell(wire, client, "ResendConfirmationCode", name)
        hidden = ("InvalidParameterException", "Auto verification not turned on.")
        assert resent == (UNKNOWN_USER if (mode, name) == ("LEGACY", "nobody") else hidden)
        forgot = ("NotAuthorizedException", "Contact administrator to reset password.")
        assert tell(wire, client, "ForgotPassword", name) == forgot
