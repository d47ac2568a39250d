"""ID tokens of our own user pools: roles by group, and what of a person becomes a tag."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from identity.foundation import names
from identity.foundation.errors import NotAuthorized
from pools.models import AppClient, IdentityPool, UserPool
from pools.services import access, groups, identity_pools
from pools.services.sign_in import machine
from tests import factories
from tests.federation.conftest import BY, GUEST_ROLE, MEMBER_ROLE, Issuer

ADMIN_ROLE = "arn:aws:iam:::role/Admin"
STAFF_ROLE = "arn:aws:iam:::role/Staff"


@dataclass
class World:
    """A user pool, a person in it, and an identity pool for it."""

    users: UserPool
    client: AppClient
    name: str
    pool: IdentityPool
    issuer: Issuer
    provider: str

    def join(self, group: str, role: str, precedence: int) -> None:
        """Put the person into a new group that has a role."""
        groups.create(self.users, group, description="", role_arn=role, precedence=precedence, by=factories.BY)
        groups.add(self.users, access.user(self.users, self.name), group, by=factories.BY)

    def choose_by_token(self, ambiguous: str) -> None:
        """Let tokens choose the role."""
        mapping = {"type": "Token", "ambiguous_role_resolution": ambiguous}
        identity_pools.set_roles(
            self.pool,
            roles={"authenticated": MEMBER_ROLE, "unauthenticated": GUEST_ROLE},
            mappings={f"{self.provider}:{self.client.client_id}": mapping},
            by=BY,
        )

    def vend(self, custom_role: str | None = None) -> str:
        """Sign in, ask for credentials, return the role that the STS was asked for."""
        signed_in = machine.begin(
            self.client,
            username=self.name,
            password=factories.PASSWORD,
            want=machine.Want.TOKENS,
            by=factories.BY,
        )
        assert isinstance(signed_in, machine.SignedIn)
        assert signed_in.tokens
        assert signed_in.tokens.id
        logins = {self.provider: signed_in.tokens.id}
        identity_id = identity_pools.get_id(self.pool, logins, by=BY)
        identity_pools.credentials(identity_id, logins, custom_role=custom_role, by=BY)
        return str(self.issuer.last["role_arn"])


@pytest.fixture(params=["issuer", "amazon"])
def world(request: pytest.FixtureRequest, issuer: Issuer) -> World:
    """Return a person without groups, in a pool known by either of its names."""
    users = factories.make_pool()
    client = factories.make_client(users)
    name = factories.make_user(users, email="anna@example.com").username
    provider = {
        "issuer": names.without_scheme(names.issuer(users.public_id)),
        "amazon": f"cognito-idp.us-east-1.amazonaws.com/{users.public_id}",
    }[request.param]
    line = {"provider_name": provider, "client_id": client.client_id}
    made = identity_pools.create("pool", settings={"cognito_identity_providers": [line]}, by=BY)
    return World(users, client, name, made, issuer, provider)


def test_the_group_of_lowest_precedence_gives_the_role(world: World) -> None:
    world.choose_by_token("Deny")
    world.join("staff", STAFF_ROLE, 5)
    world.join("admins", ADMIN_ROLE, 1)

    assert world.vend() == ADMIN_ROLE
    assert world.vend(STAFF_ROLE) == STAFF_ROLE
    with pytest.raises(NotAuthorized):
        world.vend(MEMBER_ROLE)


@pytest.mark.parametrize("ambiguous", ["AuthenticatedRole", "Deny"])
def test_groups_that_tie_leave_it_to_the_pool(ambiguous: str, world: World) -> None:
    world.choose_by_token(ambiguous)
    world.join("staff", STAFF_ROLE, 1)
    world.join("admins", ADMIN_ROLE, 1)

    assert world.vend(ADMIN_ROLE) == ADMIN_ROLE
    if ambiguous == "Deny":
        with pytest.raises(NotAuthorized):
            world.vend()
    else:
        assert world.vend() == MEMBER_ROLE


def test_the_token_names_the_login_and_its_claims_become_tags(world: World) -> None:
    world.choose_by_token("AuthenticatedRole")
    identity_pools.set_tag_map(world.pool, world.provider, use_defaults=True, tags=None, by=BY)
    sub = str(access.user(world.users, world.name).sub)
    kept = f"cognito-idp.us-east-1.amazonaws.com/{world.users.public_id}"

    assert world.vend() == MEMBER_ROLE
    claims = world.issuer.last["claims"]
    assert claims["amr"] == ["authenticated", kept, f"{kept}:CognitoSignIn:{sub}"]
    assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {
        "client": [world.client.client_id],
        "username": [sub],
    }
