"""Triggers that cannot be called: where one may refuse or change something nothing is done, else the flow goes on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import FLOWS, PASSWORD, World, named, refused
from tests.live import Live

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"
SENDER = {"LambdaArn": FUNCTION, "LambdaVersion": "V1_0"}
SENDERS: list[dict[str, Any]] = [
    {"CustomEmailSender": SENDER, "KMSKeyID": KEY},
    {"CustomSMSSender": SENDER, "KMSKeyID": KEY},
]
ONLY_TOLD = dict.fromkeys(("PostConfirmation", "PostAuthentication", "CustomMessage", "UserMigration"), FUNCTION)
UNEXPECTED = "UnexpectedLambdaException"


class Triggered(World):
    """A pool with somebody in it, who has tokens and waits for nothing."""

    def __init__(self, live: Live) -> None:
        """Make them."""
        flows = [*FLOWS, "ALLOW_CUSTOM_AUTH", "ALLOW_USER_SRP_AUTH"]
        super().__init__(live, client={"ExplicitAuthFlows": flows, "PreventUserExistenceErrors": "ENABLED"})
        self.name = self.person()
        self.kept = self.tokens(self.name)

    def set(self, **triggers: Any) -> None:
        """Give the pool triggers, and take those of before."""
        self.idp.update_user_pool(UserPoolId=self.pool_id, AutoVerifiedAttributes=["email"], LambdaConfig=triggers)

    def sign_up(self) -> str:
        """Sign somebody up, who gets a code; return the name."""
        name = f"new-{secrets.token_hex(4)}"
        attributes = [{"Name": "email", "Value": f"{name}@example.com"}]
        self.anyone.sign_up(ClientId=self.client_id, Username=name, Password=PASSWORD, UserAttributes=attributes)
        return name

    def invite(self, **more: str) -> str:
        """Make an account for somebody; return the name."""
        name = f"new-{secrets.token_hex(4)}"
        attributes = [{"Name": "email", "Value": f"{name}@example.com"}]
        self.idp.admin_create_user(UserPoolId=self.pool_id, Username=name, UserAttributes=attributes, **more)
        return name

    def auth(self, flow: str, **more: str) -> dict[str, Any]:
        """Begin a flow."""
        found: dict[str, Any] = self.anyone.initiate_auth(
            ClientId=self.client_id, AuthFlow=flow, AuthParameters={"USERNAME": self.name, **more}
        )
        return found


@pytest.fixture(scope="module")
def pool(live: Live) -> Triggered:
    """Return such a pool; each test sets the triggers it asks about."""
    return Triggered(live)


def people(pool: Triggered) -> int:
    """Count the pool's people."""
    return len(pool.idp.list_users(UserPoolId=pool.pool_id, Limit=60)["Users"])


@pytest.mark.parametrize("ask", [Triggered.sign_up, Triggered.invite], ids=["sign-up", "invitation"])
def test_nobody_is_made_past_a_check_of_sign_ups(pool: Triggered, ask: Callable[[Triggered], str]) -> None:
    pool.set(PreSignUp=FUNCTION)
    before = people(pool)

    with refused(UNEXPECTED, "PreSignUp invocation failed due to configuration."):
        ask(pool)

    assert people(pool) == before
    pool.set()
    ask(pool)
    assert people(pool) == before + 1


@pytest.mark.parametrize(
    ("trigger", "given"),
    [
        ("PreAuthentication", FUNCTION),
        ("PreTokenGeneration", FUNCTION),
        ("PreTokenGenerationConfig", {"LambdaArn": FUNCTION, "LambdaVersion": "V2_0"}),
    ],
)
def test_nobody_signs_in_past_a_check_of_sign_ins_or_tokens(pool: Triggered, trigger: str, given: Any) -> None:  # noqa: ANN401 - an ARN or a structure
    text = f"{trigger.removesuffix('Config')} invocation failed due to configuration."
    pool.set(**{trigger: given})

    for name in (pool.name, "nobody-at-all"):
        with refused(UNEXPECTED, text):
            pool.sign_in(name)
        with refused(UNEXPECTED, text):
            pool.sign_in(name, "a wrong password")
        with refused(UNEXPECTED, text):
            pool.auth("USER_SRP_AUTH", USERNAME=name, SRP_A="abcdef")
    with refused(UNEXPECTED, text):
        pool.idp.admin_initiate_auth(
            UserPoolId=pool.pool_id,
            ClientId=pool.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": pool.name, "PASSWORD": PASSWORD},
        )

    pool.set()
    assert "AuthenticationResult" in pool.sign_in(pool.name)


@pytest.mark.parametrize("trigger", ["PreTokenGeneration", "PreAuthentication"])
def test_a_refresh_is_a_tokens_and_no_sign_ins(pool: Triggered, trigger: str) -> None:
    pool.set(**{trigger: FUNCTION})

    if trigger == "PreAuthentication":
        assert "AccessToken" in pool.refresh(pool.kept["RefreshToken"])
        return
    with refused(UNEXPECTED, "PreTokenGeneration invocation failed due to configuration."):
        pool.refresh(pool.kept["RefreshToken"])
    with refused(UNEXPECTED, "PreTokenGeneration invocation failed due to configuration."):
        pool.anyone.get_tokens_from_refresh_token(ClientId=pool.client_id, RefreshToken=pool.kept["RefreshToken"])


def test_a_sign_in_under_way_ends_in_no_tokens_past_a_check_of_them(pool: Triggered) -> None:
    pool.set()
    name = pool.invite(TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    challenge = pool.sign_in(name)
    pool.set(PreTokenGeneration=FUNCTION)

    with refused(UNEXPECTED, "PreTokenGeneration invocation failed due to configuration."):
        pool.respond(challenge, name, NEW_PASSWORD="Another-horse-8")


@pytest.mark.parametrize("trigger", ["DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"])
def test_a_challenge_of_ones_own_is_not_left_out(pool: Triggered, trigger: str) -> None:
    pool.set(**{trigger: FUNCTION})

    with refused(UNEXPECTED, f"{trigger} invocation failed due to configuration."):
        pool.auth("CUSTOM_AUTH")

    assert "AuthenticationResult" in pool.sign_in(pool.name)


@pytest.mark.parametrize("given", SENDERS, ids=lambda given: next(iter(given)))
def test_no_code_goes_out_past_a_sender_of_ones_own(pool: Triggered, given: dict[str, Any]) -> None:
    pool.set()
    waiting = pool.sign_up()
    pool.set(**given)
    before, text = people(pool), f"{next(iter(given))} invocation failed due to configuration."

    for name in (pool.name, "nobody-at-all"):
        with refused(UNEXPECTED, text):
            pool.anyone.forgot_password(ClientId=pool.client_id, Username=name)
    for name in (waiting, "nobody-at-all"):
        with refused(UNEXPECTED, text):
            pool.anyone.resend_confirmation_code(ClientId=pool.client_id, Username=name)
    with refused(UNEXPECTED, text):
        pool.sign_up()
    with refused(UNEXPECTED, text):
        pool.invite()
    with refused(UNEXPECTED, text):
        pool.anyone.update_user_attributes(
            AccessToken=pool.kept["AccessToken"],
            UserAttributes=[{"Name": "email", "Value": f"{secrets.token_hex(4)}@example.com"}],
        )

    assert people(pool) == before
    assert named(pool.user(pool.name)["UserAttributes"])["email"] == f"{pool.name}@example.com"
    pool.invite(MessageAction="SUPPRESS")


def test_what_only_hears_of_something_is_left_out_and_the_log_says_so(pool: Triggered) -> None:
    pool.set(**ONLY_TOLD)
    name = pool.sign_up()
    code = pool.code(f"{name}@example.com")

    pool.anyone.confirm_sign_up(ClientId=pool.client_id, Username=name, ConfirmationCode=code)
    tokens = pool.tokens(name)
    with refused("NotAuthorizedException", "Incorrect username or password."):
        pool.sign_in("nobody-at-all")

    assert tokens["AccessToken"]
    said = [line for line in pool.live.log("web").splitlines() if "trigger_not_called" in line and pool.pool_id in line]
    for trigger in ("custom_message", "post_confirmation", "post_authentication", "user_migration"):
        assert any(trigger in line for line in said), trigger


def test_triggers_are_told_and_checked(pool: Triggered) -> None:
    given = {"PreSignUp": FUNCTION, **SENDERS[0], "PreTokenGenerationConfig": {**SENDER, "LambdaVersion": "V3_0"}}
    pool.set(**given)
    told = pool.idp.describe_user_pool(UserPoolId=pool.pool_id)["UserPool"]["LambdaConfig"]

    with refused(
        "InvalidParameterException", "KMSKeyId parameter is required when Custom SMS/Email Lambda trigger is used."
    ):
        pool.set(CustomEmailSender=SENDER)
    with refused(
        "InvalidParameterException",
        "Cannot use PreTokenGenerationLambda and PreTokenGeneration with different Lambda function ARN's",
    ):
        pool.set(PreTokenGeneration=f"{FUNCTION}g", PreTokenGenerationConfig=SENDER)

    assert told == {**given, "PreTokenGeneration": FUNCTION}


def test_the_function_of_tokens_is_told_by_both_of_its_names(pool: Triggered) -> None:
    pool.set(PreTokenGeneration=FUNCTION)

    told = pool.idp.describe_user_pool(UserPoolId=pool.pool_id)["UserPool"]["LambdaConfig"]

    assert told == {
        "PreTokenGeneration": FUNCTION,
        "PreTokenGenerationConfig": {"LambdaArn": FUNCTION, "LambdaVersion": "V1_0"},
    }
