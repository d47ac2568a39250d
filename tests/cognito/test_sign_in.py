"""Signing in through boto3: flows, challenges, refusals."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.cognito.conftest import PASSWORD, World, named, refused, secret_hash

WRONG = "Incorrect username or password."


def claims(world: World, token: str) -> dict[str, Any]:
    """Return a token's claims after its signature was checked by the published keys."""
    with urllib.request.urlopen(f"{world.live.base_url}/{world.pool_id}/.well-known/jwks.json", timeout=5) as answer:
        keys = KeySet.import_key_set(json.load(answer))
    found: dict[str, Any] = jwt.decode(token, keys, algorithms=["RS256"]).claims
    return found


def test_a_password_signs_in_and_the_tokens_are_cognitos(world: World) -> None:
    name = world.person(given_name="Ana")

    answer = world.sign_in(name)

    result = answer["AuthenticationResult"]
    assert answer["ChallengeParameters"] == {}
    assert (result["TokenType"], result["ExpiresIn"]) == ("Bearer", 3600)
    sub = named(world.user(name)["UserAttributes"])["sub"]
    access, identity = claims(world, result["AccessToken"]), claims(world, result["IdToken"])
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert (access["token_use"], access["client_id"], access["username"]) == ("access", world.client_id, name)
    assert (identity["token_use"], identity["aud"], identity["cognito:username"]) == ("id", world.client_id, name)
    assert (identity["given_name"], identity["email_verified"]) == ("Ana", True)
    for found in (access, identity):
        assert found["iss"] == f"{world.live.base_url}/{world.pool_id}"
        assert found["sub"] == sub
        assert found["exp"] - found["iat"] == 3600
    assert access["origin_jti"] == identity["origin_jti"]
    assert access["jti"] != identity["jti"]
    assert access["event_id"] == identity["event_id"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"PASSWORD": PASSWORD}, "Missing required parameter USERNAME"),
        ({"USERNAME": "someone"}, "Missing required parameter PASSWORD"),
        ({}, "Missing required parameter USERNAME"),
    ],
)
def test_a_parameter_that_lacks_is_named(world: World, parameters: dict[str, str], text: str) -> None:
    with refused("InvalidParameterException", text):
        world.anyone.initiate_auth(ClientId=world.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


def test_a_wrong_password_and_an_unknown_user_are_told_apart_only_where_the_client_says_so(world: World) -> None:
    name = world.person()
    silent = world.new_client(PreventUserExistenceErrors="ENABLED")["ClientId"]

    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name, "Wrong-horse-7")
    with refused("UserNotFoundException", "User does not exist."):
        world.sign_in("stranger", "Wrong-horse-7")
    for whoever in (name, "stranger"):
        with refused("NotAuthorizedException", WRONG):
            world.sign_in(whoever, "Wrong-horse-7", client_id=silent)


@pytest.mark.parametrize("exists", [True, False])
def test_guesses_lock_people_and_unknown_users_alike(world: World, exists: bool) -> None:
    silent = world.new_client(PreventUserExistenceErrors="ENABLED")["ClientId"]
    name = world.person() if exists else f"stranger-{id(world)}"

    for _ in range(5):
        with refused("NotAuthorizedException", WRONG):
            world.sign_in(name, "Wrong-horse-7", client_id=silent)

    with refused("NotAuthorizedException", "Password attempts exceeded"):
        world.sign_in(name, PASSWORD, client_id=silent)


@pytest.mark.parametrize("username", ["", " ", "x" * 5000, "é" * 2048, "\u202e", "a\nb", "%00", "' OR 1=1 --"])
def test_odd_names_are_unknown_users(world: World, username: str) -> None:
    with refused("UserNotFoundException", "User does not exist."):
        world.sign_in(username)


@pytest.mark.parametrize("password", ["", " ", "x" * 100_000, "\ud7ff", "é" * 200])
def test_odd_passwords_are_wrong(world: World, password: str) -> None:
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(world.person(), password)


def test_an_unknown_client_is_not_found(world: World) -> None:
    with refused("ResourceNotFoundException", "User pool client nosuchclient does not exist."):
        world.sign_in(world.person(), client_id="nosuchclient")


def test_a_person_of_another_pool_is_an_unknown_user(world: World, new_world: Callable[..., World]) -> None:
    name = world.person()
    other = new_world()

    with refused("UserNotFoundException", "User does not exist."):
        other.sign_in(name)


def test_a_flow_that_is_off_is_refused(world: World) -> None:
    name = world.person()
    plain = world.idp.create_user_pool_client(UserPoolId=world.pool_id, ClientName="plain")["UserPoolClient"]

    with refused("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"):
        world.sign_in(name, client_id=plain["ClientId"])
    with refused("InvalidParameterException", "Auth flow not enabled for this client"):
        admin(world, name, ClientId=plain["ClientId"])


@pytest.mark.parametrize("flow", ["CUSTOM_AUTH", "USER_AUTH"])
def test_a_flow_of_a_later_release_is_refused_by_name(world: World, flow: str) -> None:
    client = world.new_client(ExplicitAuthFlows=[f"ALLOW_{flow}", "ALLOW_REFRESH_TOKEN_AUTH"])

    with refused("InvalidParameterException", f"{flow} is not available in this release."):
        world.anyone.initiate_auth(
            ClientId=client["ClientId"], AuthFlow=flow, AuthParameters={"USERNAME": "u", "SRP_A": "a"}
        )


@pytest.mark.parametrize("flow", ["ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
def test_operators_flows_are_not_anyones(world: World, flow: str) -> None:
    with refused("InvalidParameterException", "Initiate Auth method not supported."):
        world.anyone.initiate_auth(
            ClientId=world.client_id, AuthFlow=flow, AuthParameters={"USERNAME": "u", "PASSWORD": "p"}
        )


def admin(world: World, name: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.idp.admin_initiate_auth(
        **{
            "UserPoolId": world.pool_id,
            "ClientId": world.client_id,
            "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": name, "PASSWORD": password},
            **more,
        }
    )
    return found


@pytest.mark.parametrize("flow", ["ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
def test_an_operator_signs_someone_in(world: World, flow: str) -> None:
    name = world.person()

    assert admin(world, name, AuthFlow=flow)["AuthenticationResult"]["AccessToken"]
    with refused("NotAuthorizedException", WRONG):
        admin(world, name, "Wrong-horse-7", AuthFlow=flow)


def test_an_operator_names_pool_and_client_together(world: World, new_world: Callable[..., World]) -> None:
    other = new_world()

    with refused("ResourceNotFoundException", f"User pool client {other.client_id} does not exist."):
        admin(world, world.person(), ClientId=other.client_id)


def test_older_names_of_flows_work_and_allow_refresh(world: World) -> None:
    client = world.new_client(ExplicitAuthFlows=["USER_PASSWORD_AUTH"])["ClientId"]

    tokens = world.sign_in(world.person(), client_id=client)["AuthenticationResult"]

    assert world.refresh(tokens["RefreshToken"], client)["AccessToken"]


def test_a_client_with_a_secret_proves_it_over_the_name(world: World) -> None:
    client = world.new_client(GenerateSecret=True)
    client_id = client["ClientId"]
    name = world.person()
    sub = world.user(name)["UserAttributes"][0]["Value"]

    for covered in (name, sub):
        proof = secret_hash(client, covered)
        assert world.sign_in(name, client_id=client_id, SECRET_HASH=proof)["AuthenticationResult"]
    with refused(
        "NotAuthorizedException", f"Client {client_id} is configured with secret but SECRET_HASH was not received"
    ):
        world.sign_in(name, client_id=client_id)
    for wrong in (secret_hash(client, "other"), "", "é"):
        with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client_id}"):
            world.sign_in(name, client_id=client_id, SECRET_HASH=wrong)
    with refused(
        "NotAuthorizedException",
        f"Client {world.client_id} is not configured with secret but SECRET_HASH was received",
    ):
        world.sign_in(name, SECRET_HASH=secret_hash(client, name))


def set_user(world: World, name: str, **columns: object) -> None:
    """Put someone into a state that this release's operations do not reach."""
    with world.live.orm():
        from pools.models import User

        assert User.objects.filter(pool__public_id=world.pool_id, username=name).update(**columns) == 1


@pytest.mark.parametrize(
    ("columns", "code", "text"),
    [
        ({"enabled": False}, "NotAuthorizedException", "User is disabled."),
        ({"status": "UNCONFIRMED"}, "UserNotConfirmedException", "User is not confirmed."),
        ({"status": "RESET_REQUIRED"}, "PasswordResetRequiredException", "Password reset required for the user"),
    ],
)
def test_the_state_of_an_account_is_told_after_the_password(
    world: World, columns: dict[str, object], code: str, text: str
) -> None:
    name = world.person()
    set_user(world, name, **columns)

    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name, "Wrong-horse-7")
    with refused(code, text):
        world.sign_in(name)


def invited(world: World, **attributes: str) -> str:
    """Invite someone with a temporary password; return the name."""
    name = f"guest-{len(attributes)}-{id(attributes)}"
    world.idp.admin_create_user(
        UserPoolId=world.pool_id,
        Username=name,
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
    )
    return name


def test_an_invited_person_chooses_a_password_and_completes_the_account(new_world: Callable[..., World]) -> None:
    schema = [{"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    world = new_world(pool={"Schema": schema})
    name = invited(world, email="guest@example.com")

    challenge = world.sign_in(name)

    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    parameters = challenge["ChallengeParameters"]
    assert parameters["USER_ID_FOR_SRP"] == name
    assert json.loads(parameters["requiredAttributes"]) == ["userAttributes.name"]
    assert json.loads(parameters["userAttributes"]) == {"email": "guest@example.com"}
    with refused("InvalidParameterException", "Missing required parameter NEW_PASSWORD"):
        world.respond(challenge, name)
    with refused("InvalidPasswordException"):
        world.respond(challenge, name, NEW_PASSWORD="short")
    with refused("InvalidParameterException"):
        world.respond(challenge, name, NEW_PASSWORD="Own-horse-77")
    answer = world.respond(challenge, name, NEW_PASSWORD="Own-horse-77", **{"userAttributes.name": "Guest"})
    assert answer["AuthenticationResult"]["RefreshToken"]
    with refused("NotAuthorizedException", "Invalid session for the user, session can only be used once."):
        world.respond(challenge, name, NEW_PASSWORD="Other-horse-7", **{"userAttributes.name": "Guest"})
    assert world.user(name)["UserStatus"] == "CONFIRMED"
    assert world.tokens(name, "Own-horse-77")
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)


def test_an_invitation_that_is_too_old_is_refused(world: World) -> None:
    name = invited(world)
    with world.live.orm():
        from django.db.models import F

        from pools.models import Password

        assert Password.objects.filter(user__username=name).update(expires_at=F("changed_at")) == 1

    with refused("NotAuthorizedException", "Temporary password has expired and must be reset by an administrator."):
        world.sign_in(name)


def test_an_authenticators_code_is_asked_for_and_good_once(careful: World) -> None:
    world, name = careful, careful.person()
    app = world.enrol(world.tokens(name)["AccessToken"])

    challenge = world.sign_in(name)

    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert challenge["ChallengeParameters"] == {"USER_ID_FOR_SRP": name, "FRIENDLY_DEVICE_NAME": "phone"}
    assert "AuthenticationResult" not in challenge
    with refused("CodeMismatchException", "Invalid code received for user"):
        world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.wrong())
    with refused("ExpiredCodeException", "Your software token has already been used once."):
        world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.last())
    code = app.code()
    assert world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=code)["AuthenticationResult"]["IdToken"]
    with refused("NotAuthorizedException", "Invalid session for the user, session can only be used once."):
        world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=code)
    with refused("ExpiredCodeException", "Your software token has already been used once."):
        world.respond(world.sign_in(name), name, SOFTWARE_TOKEN_MFA_CODE=code)


def test_of_two_answers_at_once_one_signs_in(careful: World) -> None:
    world, name = careful, careful.person()
    app = world.enrol(world.tokens(name)["AccessToken"])
    challenge, code = world.sign_in(name), app.code()

    def answer() -> str:
        try:
            world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=code)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "signed in"

    with ThreadPoolExecutor(6) as threads:
        found = [asked.result() for asked in [threads.submit(answer) for _ in range(6)]]

    assert found.count("signed in") == 1
    assert set(found) <= {"signed in", "NotAuthorizedException", "ExpiredCodeException"}


def test_a_session_is_one_clients_and_one_challenges(careful: World, new_world: Callable[..., World]) -> None:
    world, name = careful, careful.person()
    app = world.enrol(world.tokens(name)["AccessToken"])
    challenge = world.sign_in(name)
    other, foreign = world.new_client()["ClientId"], new_world()

    for client_id in (other, foreign.client_id):
        with refused("NotAuthorizedException", "Invalid session for the user."):
            world.respond(challenge, name, client_id, SOFTWARE_TOKEN_MFA_CODE=app.code())
    for wrong in ("MFA_SETUP", "NEW_PASSWORD_REQUIRED"):
        with refused("NotAuthorizedException", "Invalid session for the user."):
            world.respond({**challenge, "ChallengeName": wrong}, name, NEW_PASSWORD="Own-horse-77")
    session = challenge["Session"]
    for garbage in ("A" * 20, "é" * 20, session[:-1] + ("B" if session[-1] == "A" else "A"), session + "=" * 3):
        with refused("NotAuthorizedException", "Invalid session for the user."):
            world.respond({**challenge, "Session": garbage}, name, SOFTWARE_TOKEN_MFA_CODE="123456")


def test_a_session_ends(careful: World) -> None:
    world, name = careful, careful.person()
    app = world.enrol(world.tokens(name)["AccessToken"])
    challenge = world.sign_in(name)
    with world.live.orm():
        from datetime import timedelta

        from django.db.models import F

        from pools.models import Attempt

        assert Attempt.objects.filter(user__username=name).update(expires_at=F("expires_at") - timedelta(minutes=4))

    with refused("NotAuthorizedException", "Invalid session for the user, session is expired."):
        world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.code())


def test_wrong_codes_end_the_session(careful: World) -> None:
    world, name = careful, careful.person()
    app = world.enrol(world.tokens(name)["AccessToken"])
    challenge = world.sign_in(name)

    for _ in range(5):
        with refused("CodeMismatchException", "Invalid code received for user"):
            world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.wrong())

    with refused("NotAuthorizedException"):
        world.respond(challenge, name, SOFTWARE_TOKEN_MFA_CODE=app.code())


@pytest.mark.parametrize("lacking", ["USERNAME", "SOFTWARE_TOKEN_MFA_CODE", "Session"])
def test_an_answer_that_lacks_something_is_told_what(careful: World, lacking: str) -> None:
    world = careful
    responses = {"USERNAME": "someone", "SOFTWARE_TOKEN_MFA_CODE": "123456"}
    given = {"ClientId": world.client_id, "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "A" * 20}

    with refused("InvalidParameterException", f"Missing required parameter {lacking}"):
        world.anyone.respond_to_auth_challenge(
            **{key: value for key, value in given.items() if key != lacking},
            ChallengeResponses={key: value for key, value in responses.items() if key != lacking},
        )


@pytest.mark.parametrize("name", ["SMS_OTP", "DEVICE_SRP_AUTH", "CUSTOM_CHALLENGE", "WEB_AUTHN", "EMAIL_OTP"])
def test_a_challenge_of_a_later_release_is_refused_by_name(world: World, name: str) -> None:
    with refused("InvalidParameterException", f"{name} is not available in this release."):
        world.anyone.respond_to_auth_challenge(
            ClientId=world.client_id, ChallengeName=name, ChallengeResponses={"USERNAME": "u"}
        )


def test_a_required_factor_is_set_up_on_the_way_in(new_world: Callable[..., World]) -> None:
    from tests.cognito.conftest import Authenticator

    world = new_world()
    world.mfa("ON")
    name = world.person()

    challenge = world.sign_in(name)

    assert challenge["ChallengeName"] == "MFA_SETUP"
    assert json.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA"]
    with refused("NotAuthorizedException"):
        world.respond(challenge, name)
    challenge = world.sign_in(name)
    seed = world.anyone.associate_software_token(Session=challenge["Session"])
    assert len(seed["SecretCode"]) == 32
    with refused("NotAuthorizedException", "Invalid session for the user, session can only be used once."):
        world.anyone.associate_software_token(Session=challenge["Session"])
    app = Authenticator(seed["SecretCode"])
    with refused("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA"):
        world.anyone.verify_software_token(Session=seed["Session"], UserCode=app.wrong())
    verified = world.anyone.verify_software_token(Session=seed["Session"], UserCode=app.code())
    assert verified["Status"] == "SUCCESS"
    answer = world.respond({"ChallengeName": "MFA_SETUP", "Session": verified["Session"]}, name)
    assert answer["AuthenticationResult"]["AccessToken"]
    again = world.sign_in(name)
    assert again["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert world.respond(again, name, SOFTWARE_TOKEN_MFA_CODE=app.code())["AuthenticationResult"]


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"])
def test_a_refresh_token_gives_new_tokens_of_the_same_session(world: World, flow: str) -> None:
    tokens = world.tokens(world.person())

    answer = world.anyone.initiate_auth(
        ClientId=world.client_id, AuthFlow=flow, AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]}
    )

    result = answer["AuthenticationResult"]
    assert "RefreshToken" not in result
    before, after = claims(world, tokens["AccessToken"]), claims(world, result["AccessToken"])
    assert before["origin_jti"] == after["origin_jti"]
    assert before["auth_time"] == after["auth_time"]
    assert before["jti"] != after["jti"]
    assert claims(world, result["IdToken"])["origin_jti"] == before["origin_jti"]


def test_an_operator_refreshes_too(world: World) -> None:
    tokens = world.tokens(world.person())
    given: dict[str, Any] = {
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]},
    }

    assert admin(world, "", **given)["AuthenticationResult"]["AccessToken"]


def test_a_refresh_token_is_one_clients(world: World, new_world: Callable[..., World]) -> None:
    token = world.tokens(world.person())["RefreshToken"]
    other = new_world()

    for client_id in (world.new_client()["ClientId"], other.client_id):
        with refused("NotAuthorizedException", "Invalid Refresh Token."):
            world.refresh(token, client_id)
    assert world.refresh(token)


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 136, "a.b.c", "A" * 100_000])
def test_a_refresh_token_that_is_none_is_refused(world: World, token: str) -> None:
    with refused("NotAuthorizedException", "Invalid Refresh Token."):
        world.refresh(token)


def test_other_tokens_do_not_refresh(world: World) -> None:
    tokens = world.tokens(world.person())

    for kind in ("AccessToken", "IdToken"):
        with refused("NotAuthorizedException", "Invalid Refresh Token."):
            world.refresh(tokens[kind])


def test_a_client_with_a_secret_refreshes_with_a_hash_over_the_persons_name(world: World) -> None:
    client = world.new_client(GenerateSecret=True)
    client_id, name = client["ClientId"], world.person()
    sub = world.user(name)["UserAttributes"][0]["Value"]
    token = world.sign_in(name, client_id=client_id, SECRET_HASH=secret_hash(client, name))["AuthenticationResult"][
        "RefreshToken"
    ]

    for covered in (name, sub):
        assert world.refresh(token, client_id, SECRET_HASH=secret_hash(client, covered))["AccessToken"]
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client_id}"):
        world.refresh(token, client_id, SECRET_HASH=secret_hash(client, "other"))
    with refused(
        "NotAuthorizedException", f"Client {client_id} is configured with secret but SECRET_HASH was not received"
    ):
        world.refresh(token, client_id)


def test_a_client_that_rotates_does_not_refresh_here(world: World) -> None:
    client = world.new_client(
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], RefreshTokenRotation={"Feature": "ENABLED"}
    )["ClientId"]
    token = world.sign_in(world.person(), client_id=client)["AuthenticationResult"]["RefreshToken"]

    with refused("InvalidParameterException", "REFRESH_TOKEN_AUTH flow not enabled for this client"):
        world.refresh(token, client)


def test_disabling_someone_ends_their_refresh_tokens(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["RefreshToken"]
    set_user(world, name, enabled=False)

    with refused("NotAuthorizedException", "User is disabled."):
        world.refresh(token)
