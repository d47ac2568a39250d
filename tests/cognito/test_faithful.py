"""What was asked for is honoured, told back, or refused by name: nothing in between. Each case was ignored once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pools.models import TotpFactor
from pools.services import access
from tests.cognito.conftest import FLOWS, PASSWORD, World, named, refused, secret_hash
from tests.cognito.test_tokens import claims
from tests.live import Live

KMS_KEY = "arn:aws:kms:us-east-1:000000000000:key/a"

LIMIT = "Attempt limit exceeded, please try after some time."
NO_TOTP = "Software Token MFA has not been enabled by the userPool"


@pytest.fixture(scope="module")
def mailed(live: Live) -> World:
    """Return a pool whose people sign in by address, whatever its case, with a client that has a secret."""
    return World(
        live,
        pool={"UsernameAttributes": ["email"], "UsernameConfiguration": {"CaseSensitive": False}},
        client={"GenerateSecret": True},
    )


def test_a_challenge_is_answered_by_whom_it_is_about(careful: World) -> None:
    alice, bob = careful.person(preferred_username="al"), careful.person()
    app = careful.enrol(careful.tokens(alice)["AccessToken"])
    sub = named(careful.user(alice)["UserAttributes"])["sub"]

    for other in (bob, "nobody", f"{bob}@example.com", ""):
        with refused("NotAuthorizedException", "Invalid session for the user."):
            careful.respond(careful.sign_in(alice), other, SOFTWARE_TOKEN_MFA_CODE=app.totp.now())
    for own in (alice, sub, f"{alice}@example.com", "al"):
        with careful.live.orm():
            TotpFactor.objects.filter(pool_id=access.pool(careful.pool_id).pk).update(last_step=0)
        answered = careful.respond(careful.sign_in(alice), own, SOFTWARE_TOKEN_MFA_CODE=app.totp.now())
        assert answered["AuthenticationResult"]


def test_a_hash_over_any_name_of_a_person_proves_the_client(mailed: World) -> None:
    name, address = "Carol@Example.com", "carol@example.com"
    mailed.idp.admin_create_user(UserPoolId=mailed.pool_id, Username=name, MessageAction="SUPPRESS")
    mailed.idp.admin_set_user_password(UserPoolId=mailed.pool_id, Username=name, Password=PASSWORD, Permanent=True)
    sub = named(mailed.user(name)["UserAttributes"])["sub"]

    for said, covered in ((name, name), (name, address), (name, sub), (sub, address), (sub, sub)):
        assert mailed.sign_in(said, SECRET_HASH=secret_hash(mailed.client, covered))["AuthenticationResult"]
    with refused("NotAuthorizedException"):
        mailed.sign_in(sub, SECRET_HASH=secret_hash(mailed.client, "dave@example.com"))


def test_an_empty_structure_asks_for_its_factor(new_world: Callable[..., World]) -> None:
    world = new_world()

    told = world.idp.set_user_pool_mfa_config(
        UserPoolId=world.pool_id, MfaConfiguration="OPTIONAL", SmsMfaConfiguration={}
    )

    assert told["SmsMfaConfiguration"] == {}


@pytest.mark.parametrize(
    "keys",
    [
        {"KeyType": "CUSTOMER_MANAGED_KEY"},
        {"KeyType": "CUSTOMER_MANAGED_KEY", "KmsKeyArn": KMS_KEY},
        {"KeyType": "AWS_OWNED_KEY", "KmsKeyArn": KMS_KEY},
        {"KmsKeyArn": KMS_KEY},
    ],
)
def test_a_key_that_nothing_would_be_sealed_by_is_refused_with_what_to_do(world: World, keys: dict[str, Any]) -> None:
    before = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
    text = (
        "KeyConfiguration cannot name a key of AWS KMS: this installation seals by keys of its own (SECRET_KEYS_FILE). "
        "Leave KmsKeyArn out, and KeyType out or AWS_OWNED_KEY."
    )

    with refused("InvalidParameterException", text):
        world.idp.create_user_pool(PoolName="never", KeyConfiguration=keys)
    with refused("InvalidParameterException", text):
        world.idp.update_user_pool(UserPoolId=world.pool_id, KeyConfiguration=keys)

    assert world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"] == before


def test_secrets_that_nobody_at_amazon_would_keep_are_refused_with_what_to_do(world: World) -> None:
    before = len(world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"])
    text = (
        "PublishSecretsInAWSSecretsManager cannot be true: this installation keeps secrets itself. Leave it out; a "
        "second secret is made by AddUserPoolClientSecret."
    )
    asked = {"UserPoolId": world.pool_id, "PublishSecretsInAWSSecretsManager": True}

    with refused("InvalidParameterException", text):
        world.idp.create_user_pool_client(ClientName="never", GenerateSecret=True, **asked)
    with refused("InvalidParameterException", text):
        world.idp.update_user_pool_client(ClientId=world.client_id, **asked)

    after = len(world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"])
    assert after == before


@pytest.mark.parametrize("given", [{}, {"Type": "ORIGINAL"}, {"Type": "UPDATED"}])
def test_both_types_of_issuer_are_told_and_are_the_same_one(
    new_world: Callable[..., World], given: dict[str, str]
) -> None:
    world = new_world(pool={"IssuerConfiguration": given} if given else {})
    issuer = f"{world.live.base_url}/{world.pool_id}"
    name = world.person()

    def holds(type_of: dict[str, str]) -> None:
        told = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
        assert told.get("IssuerConfiguration", {}) == type_of
        tokens = world.tokens(name)
        assert {claims(tokens[each])["iss"] for each in ("IdToken", "AccessToken")} == {issuer}
        document = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=20).json()
        assert (document["issuer"], document["jwks_uri"]) == (issuer, f"{issuer}/.well-known/jwks.json")

    holds(given)
    world.idp.update_user_pool(UserPoolId=world.pool_id, IssuerConfiguration={"Type": "UPDATED"})
    holds({"Type": "UPDATED"})
    world.idp.update_user_pool(UserPoolId=world.pool_id)
    holds({})


def test_what_is_given_in_part_is_told_with_its_defaults(new_world: Callable[..., World]) -> None:
    pool = new_world(
        pool={
            "VerificationMessageTemplate": {"EmailMessage": "Your code: {####}"},
            "EmailConfiguration": {"ReplyToEmailAddress": "help@example.com"},
        }
    ).pool

    assert pool["VerificationMessageTemplate"]["DefaultEmailOption"] == "CONFIRM_WITH_CODE"
    assert pool["EmailConfiguration"] == {
        "EmailSendingAccount": "COGNITO_DEFAULT",
        "ReplyToEmailAddress": "help@example.com",
    }


def test_no_authenticator_is_enrolled_where_the_pool_asks_for_none(world: World, careful: World) -> None:
    token = world.tokens(world.person())["AccessToken"]

    with refused("SoftwareTokenMFANotFoundException", NO_TOTP):
        world.anyone.associate_software_token(AccessToken=token)
    with refused("SoftwareTokenMFANotFoundException", NO_TOTP):
        world.anyone.verify_software_token(AccessToken=token, UserCode="123456")
    with refused("InvalidParameterException", "User pool does not have SMS MFA turned on."):
        careful.anyone.set_user_mfa_preference(
            AccessToken=careful.tokens(careful.person())["AccessToken"], SMSMfaSettings={"PreferredMfa": True}
        )


@pytest.mark.parametrize(
    ("media", "addresses", "reached"),
    [
        (["EMAIL"], {"email", "phone_number"}, {"email"}),
        (["SMS"], {"email", "phone_number"}, {"phone_number"}),
        (["SMS", "EMAIL"], {"email", "phone_number"}, {"email", "phone_number"}),
        (None, {"email", "phone_number"}, {"phone_number"}),
        (None, {"email"}, {"email"}),
        (["SMS"], {"email"}, "No phone number provided but desired delivery medium was SMS"),
        (["SMS", "EMAIL"], {"phone_number"}, "No email provided but desired delivery medium was Email"),
    ],
)
def test_an_invitation_goes_by_what_was_named_and_by_nothing_else(
    world: World, media: list[str] | None, addresses: set[str], reached: set[str] | str
) -> None:
    name = f"guest-{secrets.token_hex(4)}"
    given = {"email": f"{name}@example.com", "phone_number": f"+49{secrets.randbelow(10**10):010}"}
    asked: dict[str, Any] = {} if media is None else {"DesiredDeliveryMediums": media}
    sent = {"Username": name, "UserAttributes": [{"Name": kind, "Value": given[kind]} for kind in sorted(addresses)]}

    if isinstance(reached, str):
        with refused("InvalidParameterException", reached):
            world.idp.admin_create_user(UserPoolId=world.pool_id, **sent, **asked)
        with refused("UserNotFoundException"):
            world.user(name)
        return
    world.idp.admin_create_user(UserPoolId=world.pool_id, **sent, **asked)

    for kind in reached:
        world.live.message(given[kind])
    assert {kind for kind, to in given.items() if world.live.messages(to)} == reached


def test_limits_are_told_as_limits_and_not_as_a_dead_token(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]

    for _ in range(5):
        with refused("NotAuthorizedException"):
            world.anyone.change_password(
                AccessToken=token, PreviousPassword="Wrong-guess-1", ProposedPassword="Battery-staple-8"
            )
    with refused("LimitExceededException", LIMIT):
        world.anyone.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Battery-staple-8")
    for number in range(5):
        address = {"Name": "email", "Value": f"{name}-{number % 2}@example.org"}
        world.anyone.update_user_attributes(AccessToken=token, UserAttributes=[address])
    with refused("TooManyRequestsException", LIMIT):
        for number in range(8):
            address = {"Name": "email", "Value": f"{name}-{number % 2}@example.org"}
            world.anyone.update_user_attributes(AccessToken=token, UserAttributes=[address])


def test_an_address_in_other_letters_is_the_same_where_case_does_not_matter(mailed: World) -> None:
    """AWS: User pool case sensitivity: mixed-case values are flattened to lowercase in what the pool tells."""
    made = mailed.idp.admin_create_user(
        UserPoolId=mailed.pool_id,
        Username="erin@example.com",
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": "Erin@Example.com"}],
    )

    assert named(made["User"]["Attributes"])["email"] == "erin@example.com"
    with refused("InvalidParameterException", "The username differs from the attribute email."):
        mailed.idp.admin_create_user(
            UserPoolId=mailed.pool_id,
            Username="frank@example.com",
            UserAttributes=[{"Name": "email", "Value": "grace@example.com"}],
        )


def test_a_unit_without_an_amount_tells_no_other_life(world: World) -> None:
    client = world.new_client(TokenValidityUnits={"RefreshToken": "hours", "AccessToken": "minutes"})

    assert client["RefreshTokenValidity"] == 30
    assert client["TokenValidityUnits"] == {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "days"}
    assert client["ExplicitAuthFlows"] == FLOWS


@pytest.mark.parametrize("value", ["xxxxxxxxxx", "2000-13-01", "2000-02-30", "01.02.2000", "2024-W01-1"])
def test_a_birthdate_is_a_day(world: World, value: str) -> None:
    name = world.person(birthdate="2000-02-29")

    with refused("InvalidParameterException"):
        world.anyone.update_user_attributes(
            AccessToken=world.tokens(name)["AccessToken"], UserAttributes=[{"Name": "birthdate", "Value": value}]
        )
    assert named(world.user(name)["UserAttributes"])["birthdate"] == "2000-02-29"


def test_attributes_that_the_pool_has_not_cannot_be_listed(world: World) -> None:
    world.person()

    with refused("InvalidParameterException", "One or more requested attributes do not exist."):
        world.idp.list_users(UserPoolId=world.pool_id, AttributesToGet=["email", "custom:zz"])


def test_tags_are_the_defaults_or_ones_own(world: World) -> None:
    identity = world.live.boto("cognito-identity")
    provider = f"{world.live.base_url.partition('://')[2]}/{world.pool_id}"
    pool = identity.create_identity_pool(
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=True,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": world.client_id}],
    )["IdentityPoolId"]
    about = {"IdentityPoolId": pool, "IdentityProviderName": provider}

    with refused("InvalidParameterException"):
        identity.set_principal_tag_attribute_map(**about, UseDefaults=True, PrincipalTags={"team": "custom:team"})
    assert identity.get_principal_tag_attribute_map(**about)["PrincipalTags"] == {}
    for more in ({}, {"PrincipalTags": {"client": "aud", "username": "sub"}}):
        told = identity.set_principal_tag_attribute_map(**about, UseDefaults=True, **more)
        assert told["PrincipalTags"] == {"client": "aud", "username": "sub"}
