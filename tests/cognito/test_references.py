"""What one resource names of another is checked when it is written, and may be deleted later (ARCHITECTURE law 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cognito.conftest import World, refused
from tests.live import Live

ROLE = "arn:aws:iam:::role/Member"
CODE = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid"],
    "CallbackURLs": ["https://app.example/back"],
}
INVALID = "InvalidParameterException"
NO_PROVIDER = "Invalid Cognito Identity Provider"
CHANGED = "Invalid {} attributes specified while creating a client"


class Referred:
    """A pool whose client an identity pool names, with a second client that it does not."""

    def __init__(self, live: Live) -> None:
        """Make them, and another pool with a client of its own."""
        self.world, self.other = World(live), World(live)
        self.identity, self.public = live.boto("cognito-identity"), live.boto("cognito-identity", signed=False)
        self.provider = f"cognito-idp.us-east-1.amazonaws.com/{self.world.pool_id}"
        self.unnamed: str = self.world.new_client()["ClientId"]
        made = self.create(self.provider, self.world.client_id)
        self.identity_pool: str = made["IdentityPoolId"]

    def create(self, provider: str, client: str) -> dict[str, Any]:
        """Make an identity pool that names a provider."""
        found: dict[str, Any] = self.identity.create_identity_pool(
            IdentityPoolName="p",
            AllowUnauthenticatedIdentities=True,
            CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": client}],
        )
        return found

    def map_roles(self, key: str, role: str = ROLE) -> None:
        """Let a provider's tokens choose roles."""
        mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
        self.identity.set_identity_pool_roles(
            IdentityPoolId=self.identity_pool, Roles={"authenticated": role}, RoleMappings={key: mapping}
        )

    def roles(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what is set of roles."""
        found = self.identity.get_identity_pool_roles(IdentityPoolId=self.identity_pool)
        return found["Roles"], found["RoleMappings"]


@pytest.fixture(scope="module")
def referred(live: Live) -> Referred:
    """Return the resources that name one another."""
    return Referred(live)


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"AllowedOAuthScopes": ["none/read"]}, "ScopeDoesNotExistException", "Invalid scope requested: none/read"),
        (
            {"SupportedIdentityProviders": ["COGNITO", "Corp"]},
            INVALID,
            "The provider Corp does not exist for User Pool {pool}.",
        ),
        ({"DefaultRedirectURI": "https://app.example/"}, INVALID, "DefaultRedirectURI must be one of CallbackURLs."),
        ({"ReadAttributes": ["name", "custom:none"]}, INVALID, CHANGED.format("read")),
        ({"WriteAttributes": ["name", "custom:none"]}, INVALID, CHANGED.format("write")),
        ({"WriteAttributes": ["name", "email_verified"]}, INVALID, CHANGED.format("write")),
    ],
)
def test_a_client_names_what_its_pool_has(referred: Referred, given: dict[str, Any], code: str, text: str) -> None:
    world = referred.world
    before = world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"]

    with refused(code, text.format(pool=world.pool_id)):
        world.new_client(**{**CODE, **given})

    assert world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"] == before


def test_an_identity_pool_names_clients_that_are_there(referred: Referred) -> None:
    world, other = referred.world, referred.other
    gone = "cognito-idp.us-east-1.amazonaws.com/us-east-1_nobody123"

    for provider, client in (
        (gone, world.client_id),
        (referred.provider, "nosuchclient"),
        (referred.provider, other.client_id),
        ("cognito-idp.eu-west-9.amazonaws.com/eu-west-9_abcdefghi", world.client_id),
    ):
        with refused(INVALID, NO_PROVIDER):
            referred.create(provider, client)

    assert referred.create(referred.provider, referred.unnamed)


def test_a_role_mapping_names_a_provider_of_its_identity_pool(referred: Referred) -> None:
    other = f"cognito-idp.us-east-1.amazonaws.com/{referred.other.pool_id}"
    good = f"{referred.provider}:{referred.world.client_id}"
    referred.map_roles(good)
    before = referred.roles()

    for key in (
        f"{other}:{referred.other.client_id}",
        other,
        f"{referred.provider}:{referred.unnamed}",
        f"{referred.provider}:{referred.other.client_id}",
        "accounts.google.com",
        f"https://{referred.provider}",
    ):
        with refused(INVALID, f"({key}) is not a valid RoleMapping ProviderName or is not a configured provider."):
            referred.map_roles(key)
    with refused(INVALID):
        referred.map_roles(good, "not a role, but long enough")

    assert referred.roles() == before
    referred.map_roles(referred.provider)


def test_what_was_named_may_be_deleted(live: Live) -> None:
    referred = Referred(live)
    world, name = referred.world, referred.world.person()
    key = f"{referred.provider}:{world.client_id}"
    referred.map_roles(key)
    logins = {referred.provider: world.tokens(name)["IdToken"]}
    member = referred.public.get_id(IdentityPoolId=referred.identity_pool, Logins=logins)["IdentityId"]
    world.idp.delete_user_pool(UserPoolId=world.pool_id)

    for ask, about in (
        (referred.public.get_id, {"IdentityPoolId": referred.identity_pool}),
        (referred.public.get_credentials_for_identity, {"IdentityId": member}),
    ):
        with refused("NotAuthorizedException", "Token is not from a supported provider of this identity pool."):
            ask(**about, Logins=logins)
    told = referred.identity.describe_identity_pool(IdentityPoolId=referred.identity_pool)
    assert told["CognitoIdentityProviders"][0]["ClientId"] == world.client_id
    assert referred.roles()[1].keys() == {key}
    referred.map_roles(key)
    with refused(INVALID, NO_PROVIDER):
        referred.create(referred.provider, world.client_id)
