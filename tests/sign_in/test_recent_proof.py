"""What changes how somebody signs in, by access token: where the pool says so, it takes a recent sign-in."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.db.transaction import atomic

from identity.foundation import clock
from identity.foundation.call import Call
from pools.cognito import gateway as wire
from pools.cognito.contract import user_pools as contract
from pools.models import AppClient, AuditEvent, User, UserPool
from pools.services import access, codes, configuration
from pools.services.pools import signing_keys, user_pools
from pools.services.sign_in import machine, own_factors
from pools.services.tokens import authorization_codes, refresh, sessions
from pools.services.tokens.bound import Bound
from pools.services.tokens.issue import TokenSet
from tests import factories
from tests.sign_in.conftest import BY

NEW = "Another-horse-1"
URI = "https://app.example/cb"
OLD = ("NotAuthorizedException", "Sign in again to change how you sign in.")
DONE = ("", "")
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("AssociateSoftwareToken", {}),
    ("VerifySoftwareToken", {"UserCode": "code"}),
    ("SetUserMFAPreference", {"SoftwareTokenMfaSettings": {"Enabled": False}}),
    ("SetUserSettings", {"MFAOptions": []}),
    ("UpdateUserAttributes", {"UserAttributes": [{"Name": "email", "Value": "thief@example.com"}]}),
    ("UpdateUserAttributes", {"UserAttributes": [{"Name": "phone_number", "Value": "+491701234567"}]}),
    ("UpdateUserAttributes", {"UserAttributes": [{"Name": "email", "Value": ""}]}),
    ("DeleteUserAttributes", {"UserAttributeNames": ["email"]}),
    ("VerifyUserAttribute", {"AttributeName": "email", "Code": "code"}),
    ("DeleteUser", {}),
]
KEEPS: list[tuple[str, dict[str, Any]]] = [
    ("GetUser", {}),
    ("UpdateUserAttributes", {"UserAttributes": [{"Name": "name", "Value": "Alice"}]}),
    ("UpdateUserAttributes", {"UserAttributes": [{"Name": "email", "Value": "alice@example.com"}]}),
    ("ChangePassword", {"PreviousPassword": factories.PASSWORD, "ProposedPassword": NEW}),
    ("DeleteUserAttributes", {"UserAttributeNames": ["name"]}),
    ("GetUserAttributeVerificationCode", {"AttributeName": "email"}),
    ("GetUserAuthFactors", {}),
    ("GlobalSignOut", {}),
]
"""What reads, ends, or brings a proof of its own."""


def ask(operation: str, token: str, **members: Any) -> tuple[str, str]:
    """Call an operation by access token; return code and text of its refusal, empty without one."""
    headers = {"x-amz-target": f"AWSCognitoIdentityProviderService.{operation}"}
    body = json.dumps({"AccessToken": token, **members}).encode()
    answer = wire.gateway(Call("POST", "/", "", headers, body, "192.0.2.1", "1"))
    if answer.status == 200:
        return DONE
    told = json.loads(answer.body)
    return told["__type"], told["message"]


def sign_in(client: AppClient) -> TokenSet:
    outcome = factories.begin(
        client, username="alice", password=factories.PASSWORD, ends_in=machine.EndsIn.TOKENS, by=BY
    )
    assert isinstance(outcome, machine.SignedIn)
    assert outcome.tokens is not None
    return outcome.tokens


def through_an_old_session(client: AppClient) -> TokenSet:
    """Sign in by browser; let another app take tokens from that session long after, and refresh them."""
    outcome = factories.begin(
        client, username="alice", password=factories.PASSWORD, ends_in=machine.EndsIn.BROWSER, by=BY
    )
    assert isinstance(outcome, machine.SignedIn)
    assert outcome.opened_session is not None
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        session = sessions.signed_in_session(client.pool, outcome.opened_session.cookie)
        assert session is not None
        bound = Bound(("openid", "aws.cognito.signin.user.admin"), oauth=True)
        code = authorization_codes.issue_code(client, session, redirect_uri=URI, bound=bound)
        issued = authorization_codes.redeem(client, code, redirect_uri=URI, verifier=None, by=BY)
        return refresh.refresh(client, issued.refresh or "", by=BY)


@pytest.fixture
def strict(pool: UserPool, person: User) -> AppClient:
    """Return a client of a pool that asks for a recent sign-in; its person waits to prove an authenticator."""
    user_pools.update(pool, {"recent_proof": True, "sms_mfa_configuration": {"enabled": True}}, by=BY)
    configuration.cache.forget_everything()
    return factories.make_client(access.pool(pool.public_id))


def code_of(members: dict[str, Any], seed: str, mailed: str) -> dict[str, Any]:
    """Return members whose code is right."""
    right = {"UserCode": pyotp.TOTP(seed).at(clock.epoch()), "Code": mailed}
    return {**members, **{name: code for name, code in right.items() if name in members}}


def mailed(pool: UserPool, person: User) -> str:
    """Return a code that proves somebody's address."""
    with atomic():
        return codes.issue(pool, person.id, "email", person.email or "")


def test_each_operation_by_access_token_was_weighed() -> None:
    by_token = {
        name
        for name, operation in contract.operations.items()
        if operation.handler is not None and "AccessToken" in getattr(operation.model.input_shape, "members", {})
    }

    assert by_token == {name for name, _ in (*CHANGES, *KEEPS)}


@pytest.mark.parametrize(("operation", "members"), CHANGES)
@pytest.mark.parametrize("minutes", [9, 11])
def test_a_change_of_how_one_signs_in_takes_a_recent_sign_in_where_the_pool_says_so(
    minutes: int, operation: str, members: dict[str, Any], strict: AppClient, person: User
) -> None:
    token = sign_in(strict).access
    seed, code = own_factors.enrol(strict.pool, person, "totp", by=BY), mailed(strict.pool, person)
    rows = AuditEvent.objects.count()

    with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
        answer = ask(operation, token, **code_of(members, seed, code))

    assert answer == (DONE if minutes < 10 else OLD)
    assert (AuditEvent.objects.count() == rows) == (answer == OLD)


@pytest.mark.parametrize(("operation", "members"), [*KEEPS, *CHANGES])
def test_everything_else_goes_on_as_everything_does_where_the_pool_says_nothing(
    operation: str, members: dict[str, Any], pool: UserPool, strict: AppClient, person: User
) -> None:
    if (operation, members) in CHANGES:
        user_pools.update(pool, {"recent_proof": False}, by=BY)
        configuration.cache.forget_everything()
    token = sign_in(strict).access
    seed, code = own_factors.enrol(strict.pool, person, "totp", by=BY), mailed(strict.pool, person)

    with time_machine.travel(clock.now() + timedelta(minutes=40), tick=False):
        assert ask(operation, token, **code_of(members, seed, code)) == DONE


def test_neither_another_apps_session_nor_refreshing_makes_a_sign_in_recent(strict: AppClient) -> None:
    began = clock.now().replace(microsecond=0)
    token = through_an_old_session(strict).access

    with time_machine.travel(began + timedelta(minutes=12), tick=False):
        signed_in = signing_keys.unverified_claims(token)["auth_time"]
        assert began <= datetime.fromtimestamp(signed_in, began.tzinfo) < began + timedelta(minutes=1)
        assert ask("AssociateSoftwareToken", token) == OLD
        assert ask("AssociateSoftwareToken", sign_in(strict).access) == DONE


def test_a_first_password_takes_a_recent_sign_in_too(strict: AppClient) -> None:
    token = sign_in(strict).access

    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        assert ask("ChangePassword", token, ProposedPassword=NEW) == OLD


def test_the_wire_api_makes_pools_without_it_and_an_operator_may_say_otherwise(transactional_db: None) -> None:
    assert not factories.make_pool().recent_proof
    assert factories.make_pool(recent_proof=True).recent_proof
