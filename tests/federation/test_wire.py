"""Identity pools by boto3, and refusals in Amazon's words."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pools.services import access
from pools.services.people import users
from tests.factories import BY
from tests.live import Live

PASSWORD = "Correct-horse-7"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
ROLE = "arn:aws:iam:::role/Member"


class World:
    """A user pool, a person who signed in, and ways to make identity pools for it."""

    def __init__(self, live: Live) -> None:
        """Make user pool, client and person."""
        self.live = live
        self.idp, self.anyone = live.boto(), live.boto(signed=False)
        self.identity = live.boto("cognito-identity")
        self.public = live.boto("cognito-identity", signed=False)
        self.user_pool = self.idp.create_user_pool(PoolName="test")["UserPool"]["Id"]
        self.client_id = self.new_client()
        self.issuer_name = f"{live.base_url.partition('://')[2]}/{self.user_pool}"
        self.amazon_name = f"cognito-idp.us-east-1.amazonaws.com/{self.user_pool}"
        self.name = self.person()

    def person(self) -> str:
        """Make a person who can sign in."""
        name = f"person-{secrets.token_hex(4)}"
        self.idp.admin_create_user(UserPoolId=self.user_pool, Username=name, MessageAction="SUPPRESS")
        self.idp.admin_set_user_password(UserPoolId=self.user_pool, Username=name, Password=PASSWORD, Permanent=True)
        return name

    def new_client(self) -> str:
        """Make an app client."""
        made = self.idp.create_user_pool_client(UserPoolId=self.user_pool, ClientName="app", ExplicitAuthFlows=FLOWS)
        return str(made["UserPoolClient"]["ClientId"])

    def tokens(self, client_id: str = "", name: str = "") -> dict[str, str]:
        """Sign the person in, or another."""
        found: dict[str, str] = self.anyone.initiate_auth(
            ClientId=client_id or self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name or self.name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        return found

    def pool(self, *, provider: str = "", guests: bool = True, check: bool = False, classic: bool = True) -> str:
        """Make an identity pool."""
        line = {
            "ProviderName": provider or self.issuer_name,
            "ClientId": self.client_id,
            "ServerSideTokenCheck": check,
        }
        made = self.identity.create_identity_pool(
            IdentityPoolName="test",
            AllowUnauthenticatedIdentities=guests,
            AllowClassicFlow=classic,
            CognitoIdentityProviders=[line],
        )
        return str(made["IdentityPoolId"])


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return the world."""
    return World(live)


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:  # noqa: ANN401 - a boto3 method
    """Return code and text of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize("configured", ["issuer_name", "amazon_name"])
def test_either_name_of_a_user_pool_means_the_same_login(configured: str, world: World) -> None:
    pool = world.pool(provider=getattr(world, configured))
    token = world.tokens()["IdToken"]

    found = {
        world.public.get_id(IdentityPoolId=pool, Logins={name: token})["IdentityId"]
        for name in (world.issuer_name, world.amazon_name)
    }
    assert len(found) == 1


def test_a_pool_is_described_as_it_was_made(world: World) -> None:
    lines = [{"ProviderName": world.issuer_name, "ClientId": world.client_id, "ServerSideTokenCheck": True}]
    wanted = {
        "IdentityPoolName": "My photos",
        "AllowUnauthenticatedIdentities": False,
        "AllowClassicFlow": False,
        "CognitoIdentityProviders": lines,
        "IdentityPoolTags": {"team": "red"},
    }
    made = world.identity.create_identity_pool(**wanted)
    found = world.identity.describe_identity_pool(IdentityPoolId=made["IdentityPoolId"])

    for answer in (made, found):
        answer.pop("ResponseMetadata")
        assert answer == {**wanted, "IdentityPoolId": made["IdentityPoolId"]}


def test_roles_and_mappings_come_back(world: World) -> None:
    pool = world.pool()
    rules = [{"Claim": "custom:role", "MatchType": "Equals", "Value": "admin", "RoleARN": ROLE}]
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": rules},
    }
    key = f"{world.issuer_name}:{world.client_id}"
    world.identity.set_identity_pool_roles(
        IdentityPoolId=pool, Roles={"authenticated": ROLE}, RoleMappings={key: mapping}
    )

    found = world.identity.get_identity_pool_roles(IdentityPoolId=pool)
    assert found["Roles"] == {"authenticated": ROLE}
    assert found["RoleMappings"] == {key: mapping}


def test_tag_maps_come_back(world: World) -> None:
    pool = world.pool()
    asked = {"IdentityPoolId": pool, "IdentityProviderName": world.issuer_name}
    world.identity.set_principal_tag_attribute_map(**asked, UseDefaults=False, PrincipalTags={"team": "custom:team"})

    found = world.identity.get_principal_tag_attribute_map(**asked)
    assert (found["UseDefaults"], found["PrincipalTags"]) == (False, {"team": "custom:team"})
    found = world.identity.set_principal_tag_attribute_map(**asked, UseDefaults=True)
    assert found["PrincipalTags"] == {"client": "aud", "username": "sub"}


def test_refusals_are_in_amazons_words(world: World) -> None:
    pool, closed = world.pool(), world.pool(guests=False, classic=False)
    tokens, other = world.tokens(), world.tokens(world.new_client())
    guest = world.public.get_id(IdentityPoolId=pool)["IdentityId"]
    logins = {world.issuer_name: tokens["IdToken"]}
    member = world.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    closed_member = world.public.get_id(IdentityPoolId=closed, Logins=logins)["IdentityId"]
    nobody = "us-east-1:00000000-0000-4000-8000-000000000000"
    get_id, credentials = world.public.get_id, world.public.get_credentials_for_identity
    forged = tokens["IdToken"][:-8] + "AAAAAAAA"
    supported = "Token is not from a supported provider of this identity pool."
    unset = "Invalid identity pool configuration. Check assigned IAM roles for this pool."

    def login(token: str, name: str = world.issuer_name) -> tuple[str, str]:
        return refusal(get_id, IdentityPoolId=pool, Logins={name: token})

    def forbidden(code: str, text: str) -> tuple[str, str]:
        return f"{code}Exception", text

    assert login(tokens["AccessToken"]) == forbidden(
        "NotAuthorized", "Invalid login token. Missing a required claim: aud"
    )
    assert login(forged) == forbidden("NotAuthorized", "Invalid login token. Couldn't verify signed token.")
    for text in ("garbage", "a.b.c", tokens["RefreshToken"]):
        assert login(text) == forbidden(
            "NotAuthorized", "Invalid login token. Not a valid OpenId Connect identity token."
        )
    assert login(other["IdToken"]) == forbidden("NotAuthorized", supported)
    assert login(tokens["IdToken"], "accounts.google.com") == forbidden("NotAuthorized", supported)
    assert login(tokens["IdToken"], "cognito-idp.us-east-1.amazonaws.com/us-east-1_nobody123") == forbidden(
        "NotAuthorized", supported
    )
    elsewhere = World(world.live)
    assert login(elsewhere.tokens()["IdToken"]) == forbidden(
        "NotAuthorized", "Invalid login token. Issuer doesn't match providerName"
    )
    none = world.identity.create_identity_pool(IdentityPoolName="none", AllowUnauthenticatedIdentities=True)
    for call, named in (
        (get_id, {"IdentityPoolId": none["IdentityPoolId"]}),
        (credentials, {"IdentityId": world.public.get_id(IdentityPoolId=none["IdentityPoolId"])["IdentityId"]}),
    ):
        assert refusal(call, **named, Logins=logins) == forbidden(
            "NotAuthorized",
            "Logins don't match. Please include at least one valid login for this identity or identity pool.",
        )
    assert refusal(get_id, IdentityPoolId=closed) == forbidden(
        "NotAuthorized", "Unauthenticated access is not supported for this identity pool."
    )
    assert refusal(get_id, IdentityPoolId=nobody) == forbidden(
        "ResourceNotFound", f"IdentityPool '{nobody}' not found."
    )
    assert refusal(credentials, IdentityId=nobody) == forbidden("ResourceNotFound", f"Identity '{nobody}' not found.")
    assert refusal(credentials, IdentityId=member) == forbidden(
        "NotAuthorized", f"Access to Identity '{member}' is forbidden."
    )
    assert refusal(credentials, IdentityId=guest) == forbidden("InvalidIdentityPoolConfiguration", unset)
    assert refusal(world.public.get_open_id_token, IdentityId=closed_member, Logins=logins) == forbidden(
        "InvalidParameter", "Basic (classic) flow is not enabled, please use enhanced flow."
    )


@pytest.mark.parametrize("end", ["signed out everywhere", "disabled", "deleted", "revoked"])
def test_a_login_counts_no_longer_than_person_and_session_whatever_is_said_of_the_check(end: str, world: World) -> None:
    name = world.person()
    tokens = world.tokens(name=name)
    logins = {world.issuer_name: tokens["IdToken"]}
    pools = [world.pool(check=checked) for checked in (False, True)]
    members = [world.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"] for pool in pools]
    for member in members:
        assert world.public.get_open_id_token(IdentityId=member, Logins=logins)["IdentityId"] == member

    if end == "signed out everywhere":
        world.anyone.global_sign_out(AccessToken=tokens["AccessToken"])
    elif end == "revoked":
        world.anyone.revoke_token(ClientId=world.client_id, Token=tokens["RefreshToken"])
    else:
        with world.live.orm():
            pool = access.pool(world.user_pool)
            if end == "disabled":
                users.set_enabled(pool, access.user(pool, name), False, by=BY)
            else:
                users.delete(pool, access.user(pool, name), by=BY)

    refused = ("NotAuthorizedException", "Invalid login token. Token is no longer valid.")
    for identity_pool, member in zip(pools, members, strict=True):
        assert refusal(world.public.get_id, IdentityPoolId=identity_pool, Logins=logins) == refused
        assert refusal(world.public.get_open_id_token, IdentityId=member, Logins=logins) == refused
        assert refusal(world.public.get_credentials_for_identity, IdentityId=member, Logins=logins) == refused


def test_what_this_release_lacks_is_said(world: World) -> None:
    code, text = refusal(
        world.identity.create_identity_pool,
        IdentityPoolName="test",
        AllowUnauthenticatedIdentities=True,
        SupportedLoginProviders={"api.twitter.com": "key;secret"},
    )
    assert code == "InvalidParameterException"
    assert "not available in this release" in text


def test_set_up_needs_a_signature(world: World) -> None:
    unsigned = world.live.boto("cognito-identity", signed=False)

    code, _ = refusal(unsigned.describe_identity_pool, IdentityPoolId=world.pool())
    assert code == "MissingAuthenticationTokenException"
