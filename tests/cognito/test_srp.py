"""Signing in by SRP through boto3, with a client of its own and with pycognito as it is."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pycognito
import pytest
from botocore.exceptions import ClientError
from pycognito.exceptions import SoftwareTokenMFAChallengeException

from tests import srp_client
from tests.cognito.conftest import PASSWORD, World, named, refused, secret_hash
from tests.live import Live
from tests.srp_client import Client

WRONG = "Incorrect username or password."
FLOWS = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
HIDING = {"ExplicitAuthFlows": FLOWS, "PreventUserExistenceErrors": "ENABLED"}


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return a pool whose client signs in by SRP and hides who exists; a second factor may be had."""
    world = World(live, client=HIDING)
    world.mfa("OPTIONAL")
    return world


@pytest.fixture(scope="module")
def known(world: World) -> str:
    """Return somebody whom nothing happens to."""
    return world.person()


def begun(world: World, client: Client, name: str, client_id: str = "", **more: str) -> dict[str, Any]:
    """Begin by SRP; return the challenge."""
    found: dict[str, Any] = world.anyone.initiate_auth(
        ClientId=client_id or world.client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": name, "SRP_A": f"{client.public:x}", **more},
    )
    return found


def answered(world: World, answers: dict[str, str], client_id: str = "", **more: Any) -> dict[str, Any]:
    """Answer PASSWORD_VERIFIER; return whatever comes back."""
    found: dict[str, Any] = world.anyone.respond_to_auth_challenge(
        ClientId=client_id or world.client_id, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=answers, **more
    )
    return found


def signed_in(world: World, name: str, password: str, client_id: str = "") -> dict[str, Any]:
    """Sign in by SRP; return whatever comes back."""
    client = Client(password)
    challenge = begun(world, client, name, client_id)
    return answered(world, client.answer(world.pool_id, challenge["ChallengeParameters"]), client_id)


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_the_client_of_these_tests_agrees_with_the_published_vector() -> None:
    client = Client("Passw0rd!", int.from_bytes(b"\x11" * 32, "big"))
    salt, b = "1f2e3d4c5b6a79880123456789abcdef", int.from_bytes(b"\x22" * 32, "big")
    user_id = "5f2c9f1e-0000-4000-8000-000000000001"
    inner = hashlib.sha256(f"TestPool1{user_id}:Passw0rd!".encode()).digest()
    verifier = pow(2, srp_client.number(srp_client.padded(int(salt, 16)), inner), srp_client.N)
    k = srp_client.number(srp_client.padded(srp_client.N), b"\x02")
    server_public = f"{(k * verifier + pow(2, b, srp_client.N)) % srp_client.N:x}"

    given = {
        "USER_ID_FOR_SRP": user_id,
        "SALT": salt,
        "SRP_B": server_public,
        "SECRET_BLOCK": base64.b64encode(b"secret-block-0001").decode(),
    }

    assert client.answer("us-east-1_TestPool1", given)["PASSWORD_CLAIM_SIGNATURE"] == (
        "rbSA/HOl7MIPDaadHg+Z+aQhYZPjJqf2gp+9IGyqgkM="
    )


@pytest.mark.parametrize("with_session", [True, False])
@pytest.mark.parametrize("admin", [True, False])
def test_a_password_that_never_leaves_the_client_signs_in(world: World, with_session: bool, admin: bool) -> None:
    name, client = world.person(), Client(PASSWORD)
    by: dict[str, Any] = {"ClientId": world.client_id, **({"UserPoolId": world.pool_id} if admin else {})}
    begin = world.idp.admin_initiate_auth if admin else world.anyone.initiate_auth
    respond = world.idp.admin_respond_to_auth_challenge if admin else world.anyone.respond_to_auth_challenge

    challenge = begin(**by, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": name, "SRP_A": f"{client.public:x}"})

    assert challenge["ChallengeName"] == "PASSWORD_VERIFIER"
    given = challenge["ChallengeParameters"]
    assert given.keys() == {"SALT", "SRP_B", "SECRET_BLOCK", "USERNAME", "USER_ID_FOR_SRP"}
    assert given["USERNAME"] == given["USER_ID_FOR_SRP"] == name
    assert re.fullmatch(r"[1-9a-f][0-9a-f]{30,31}", given["SALT"])
    assert len(given["SECRET_BLOCK"]) < 2048
    assert 20 <= len(challenge["Session"]) < 2048
    session = {"Session": challenge["Session"]} if with_session else {}
    answers = client.answer(world.pool_id, given)
    result = respond(**by, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=answers, **session)
    tokens = result["AuthenticationResult"]
    assert world.anyone.get_user(AccessToken=tokens["AccessToken"])["Username"] == name
    assert world.refresh(tokens["RefreshToken"])["IdToken"]
    assert claims(tokens["AccessToken"])["scope"] == "aws.cognito.signin.user.admin"


def test_an_alias_signs_in_and_is_told_the_name_it_stands_for(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"AliasAttributes": ["email"]}, client=HIDING)
    name = world.person("ana", email="Ana@example.com")
    client = Client(PASSWORD)

    given = begun(world, client, "Ana@example.com")["ChallengeParameters"]

    assert (given["USERNAME"], given["USER_ID_FOR_SRP"]) == (name, name)
    for called in (name, "Ana@example.com"):
        client = Client(PASSWORD)
        given = begun(world, client, "Ana@example.com")["ChallengeParameters"]
        answers = {**client.answer(world.pool_id, given), "USERNAME": called}
        assert answered(world, answers)["AuthenticationResult"]


def test_a_pool_of_addresses_tells_the_sub(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"UsernameAttributes": ["email"]}, client=HIDING)
    world.idp.admin_create_user(UserPoolId=world.pool_id, Username="ana@example.com", MessageAction="SUPPRESS")
    world.idp.admin_set_user_password(
        UserPoolId=world.pool_id, Username="ana@example.com", Password=PASSWORD, Permanent=True
    )
    client = Client(PASSWORD)

    given = begun(world, client, "ana@example.com")["ChallengeParameters"]

    sub = named(world.user("ana@example.com")["UserAttributes"])["sub"]
    assert (given["USERNAME"], given["USER_ID_FOR_SRP"]) == (sub, sub)
    assert answered(world, client.answer(world.pool_id, given))["AuthenticationResult"]


def test_an_authenticators_code_comes_after_it(world: World) -> None:
    name = world.person()
    app = world.enrol(world.tokens(name)["AccessToken"])

    challenge = signed_in(world, name, PASSWORD)

    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "AuthenticationResult" not in challenge
    assert world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.code())["AuthenticationResult"]["AccessToken"]


def test_an_operator_answers_what_comes_after_it(world: World, new_world: Callable[..., World]) -> None:
    name, exchange = world.person(), Client(PASSWORD)
    app = world.enrol(world.tokens(name)["AccessToken"])
    given = begun(world, exchange, name)["ChallengeParameters"]
    by = {"UserPoolId": world.pool_id, "ClientId": world.client_id}
    answers = exchange.answer(world.pool_id, given)

    asked = world.idp.admin_respond_to_auth_challenge(
        **by, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=answers
    )
    code = {"ChallengeName": asked["ChallengeName"], "Session": asked["Session"]}
    responses = {"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": app.code()}
    with refused("ResourceNotFoundException"):
        other = {**by, "UserPoolId": new_world().pool_id}
        world.idp.admin_respond_to_auth_challenge(**other, **code, ChallengeResponses=responses)
    tokens = world.idp.admin_respond_to_auth_challenge(**by, **code, ChallengeResponses=responses)

    assert code["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert tokens["AuthenticationResult"]["AccessToken"]


def test_an_invited_person_chooses_a_password_after_it(world: World) -> None:
    name = f"guest-{id(world)}"
    world.idp.admin_create_user(
        UserPoolId=world.pool_id, Username=name, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )

    challenge = signed_in(world, name, PASSWORD)

    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert world.respond(challenge, name, NEW_PASSWORD="Own-horse-77")["AuthenticationResult"]
    assert signed_in(world, name, "Own-horse-77")["AuthenticationResult"]


def test_a_client_with_a_secret_proves_it_at_each_step(world: World) -> None:
    client = world.new_client(**HIDING, GenerateSecret=True)
    client_id, name = client["ClientId"], world.person()
    exchange = Client(PASSWORD)
    proof = {"SECRET_HASH": secret_hash(client, name)}

    with refused(
        "NotAuthorizedException", f"Client {client_id} is configured with secret but SECRET_HASH was not received"
    ):
        begun(world, exchange, name, client_id)
    given = begun(world, exchange, name, client_id, **proof)["ChallengeParameters"]
    answers = exchange.answer(world.pool_id, given)
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client_id}"):
        answered(world, {**answers, "SECRET_HASH": secret_hash(client, "other")}, client_id)
    assert answered(world, {**answers, **proof}, client_id)["AuthenticationResult"]


def test_a_block_signs_in_once_however_often_it_is_sent_at_once(world: World) -> None:
    name, client = world.person(), Client(PASSWORD)
    answers = client.answer(world.pool_id, begun(world, client, name)["ChallengeParameters"])

    def answer(_: int) -> str:
        try:
            answered(world, answers)
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return "signed in"

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(answer, range(4)))

    used = "Invalid session for the user, session can only be used once."
    assert sorted(found) == [used] * 3 + ["signed in"]
    with refused("NotAuthorizedException", used):
        answered(world, answers)


def test_a_block_is_one_clients_and_one_persons(world: World, new_world: Callable[..., World]) -> None:
    name, other = world.person(), world.person()
    client = Client(PASSWORD)
    challenge = begun(world, client, name)
    answers = client.answer(world.pool_id, challenge["ChallengeParameters"])
    block = answers["PASSWORD_CLAIM_SECRET_BLOCK"]
    foreign, sibling = new_world(client=HIDING), world.new_client(**HIDING)["ClientId"]
    foreign.person(name)
    invalid = "Invalid session for the user."

    with refused("NotAuthorizedException", invalid):
        answered(foreign, answers)
    with refused("NotAuthorizedException", invalid):
        answered(world, answers, sibling)
    for wrong in (
        {"USERNAME": other},
        {"PASSWORD_CLAIM_SECRET_BLOCK": block[:-8] + "AAAAAAA="},
        {"PASSWORD_CLAIM_SECRET_BLOCK": "x"},
        {"PASSWORD_CLAIM_SECRET_BLOCK": ""},
        {"PASSWORD_CLAIM_SECRET_BLOCK": "é" * 5000},
    ):
        with refused("NotAuthorizedException", invalid):
            answered(world, {**answers, **wrong})
    with refused("NotAuthorizedException", invalid):
        answered(world, answers, Session=begun(world, Client(PASSWORD), name)["Session"])
    with refused("NotAuthorizedException", invalid):
        world.respond({**challenge, "ChallengeName": "SOFTWARE_TOKEN_MFA"}, name, SOFTWARE_TOKEN_MFA_CODE="000000")
    assert answered(world, answers, Session=challenge["Session"])["AuthenticationResult"]


@pytest.mark.parametrize(
    "change",
    [
        {"TIMESTAMP": "Tue Mar 3 04:05:07 UTC 2026"},
        {"PASSWORD_CLAIM_SIGNATURE": ""},
        {"PASSWORD_CLAIM_SIGNATURE": "é"},
        {"PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode()},
    ],
    ids=["another time", "empty", "no base64", "zeros"],
)
def test_a_signature_that_does_not_fit_is_a_wrong_password(world: World, change: dict[str, str]) -> None:
    client = Client(PASSWORD)
    answers = client.answer(world.pool_id, begun(world, client, world.person())["ChallengeParameters"])

    with refused("NotAuthorizedException", WRONG):
        answered(world, {**answers, **change})


@pytest.mark.parametrize("stamp", ["", "now", "2026-03-03T04:05:06Z", "Di Mär 3 04:05:06 UTC 2026", "x" * 5000])
def test_a_time_of_another_form_is_refused_by_the_form_it_should_have(world: World, stamp: str) -> None:
    client = Client(PASSWORD)
    given = begun(world, client, world.person())["ChallengeParameters"]

    with refused("InvalidParameterException", "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."):
        answered(world, client.answer(world.pool_id, given, stamp))


NO_SECRETS = [f"{srp_client.N:x}", f"{2 * srp_client.N:x}", "f" * 5000]


@pytest.mark.parametrize("public", ["", "0", "00", "-1", "+1", "0x12", "1_0", " 1", "g", "１", *NO_SECRETS])
def test_a_public_value_that_is_no_secret_is_refused(world: World, known: str, public: str) -> None:
    for name in (known, "nobody"):
        with refused("InvalidParameterException", "Invalid SRP_A."):
            world.anyone.initiate_auth(
                ClientId=world.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": name, "SRP_A": public}
            )


@pytest.mark.parametrize("missing", ["USERNAME", "SRP_A"])
def test_a_parameter_that_lacks_is_named(world: World, missing: str) -> None:
    given = {"USERNAME": "someone", "SRP_A": "2"}
    del given[missing]

    with refused("InvalidParameterException", f"Missing required parameter {missing}"):
        world.anyone.initiate_auth(ClientId=world.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters=given)


@pytest.mark.parametrize(
    "missing", ["USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"]
)
def test_an_answer_that_lacks_is_named(world: World, missing: str) -> None:
    client = Client(PASSWORD)
    answers = client.answer(world.pool_id, begun(world, client, "someone")["ChallengeParameters"])
    del answers[missing]

    with refused("InvalidParameterException", f"Missing required parameter {missing}"):
        answered(world, answers)


def test_an_unknown_user_is_told_only_where_the_client_says_so(world: World) -> None:
    showing = world.new_client(ExplicitAuthFlows=FLOWS)["ClientId"]

    with refused("UserNotFoundException", "User does not exist."):
        begun(world, Client(PASSWORD), "nobody", showing)


@pytest.mark.parametrize("username", ["", " ", "x" * 5000, "é" * 2048, "\u202e", "a\nb", "%00"])
def test_odd_names_are_unknown_users(world: World, username: str) -> None:
    client = Client(PASSWORD)
    challenge = begun(world, client, username)
    answers = client.answer(world.pool_id, challenge["ChallengeParameters"])

    assert len(challenge["Session"]) < 2048
    for called in ({}, {"USERNAME": username}):
        with refused("NotAuthorizedException", WRONG):
            answered(world, {**answers, **called})


def test_the_flow_needs_no_word_where_the_client_has_none_or_older_ones(world: World) -> None:
    name = world.person()
    plain: dict[str, Any] = {"UserPoolId": world.pool_id, "ClientName": "plain"}
    without = world.idp.create_user_pool_client(**plain)["UserPoolClient"]["ClientId"]
    older = [
        world.new_client(ExplicitAuthFlows=[flow])["ClientId"] for flow in ("ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH")
    ]
    off = world.new_client(ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["ClientId"]
    custom = world.new_client(ExplicitAuthFlows=["CUSTOM_AUTH_FLOW_ONLY"])["ClientId"]

    for client_id in (without, *older):
        tokens = signed_in(world, name, PASSWORD, client_id)["AuthenticationResult"]
        assert world.refresh(tokens["RefreshToken"], client_id)["AccessToken"]
    for client_id in (off, custom):
        with refused("InvalidParameterException", "USER_SRP_AUTH flow not enabled for this client"):
            begun(world, Client(PASSWORD), name, client_id)


def by_pycognito(world: World, name: str, **more: Any) -> Any:  # noqa: ANN401 - it has no types
    return pycognito.Cognito(
        world.pool_id,
        more.pop("client_id", world.client_id),
        user_pool_region="us-east-1",
        username=name,
        boto3_client_kwargs={
            "endpoint_url": world.live.base_url,
            "aws_access_key_id": "none",
            "aws_secret_access_key": "none",
        },
        **more,
    )


def test_pycognito_signs_in_with_a_code_and_stays_signed_in(world: World) -> None:
    name = world.person()
    app = world.enrol(world.tokens(name)["AccessToken"])
    someone = by_pycognito(world, name)

    with pytest.raises(SoftwareTokenMFAChallengeException):
        someone.authenticate(password=PASSWORD)
    someone.respond_to_software_token_mfa_challenge(app.code())
    before = someone.access_token
    someone.renew_access_token()

    assert someone.access_token != before
    assert someone.get_user().sub == named(world.user(name)["UserAttributes"])["sub"]


def test_pycognito_signs_in_by_an_address_with_a_secret(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"AliasAttributes": ["email"]}, client={**HIDING, "GenerateSecret": True})
    world.person("ana", email="ana@example.com")
    secret = world.client["ClientSecret"]
    someone = by_pycognito(world, "ana@example.com", client_secret=secret)

    someone.authenticate(password=PASSWORD)
    someone.renew_access_token()

    assert someone.get_user().sub
    with pytest.raises(ClientError, match=WRONG):
        by_pycognito(world, "ana@example.com", client_secret=secret).authenticate(password="Wrong-1")
