"""ID tokens of our own user pools: roles by group, and what of a person becomes a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from identity.foundation import clock, names
from identity.foundation.errors import NotAuthorized, NotAvailable, RoleRefused
from pools.models import AppClient, IdentityPool, User, UserPool
from pools.services import access, configuration
from pools.services.identity_pools import identity_pools
from pools.services.identity_pools import logins as identity_logins
from pools.services.people import groups
from pools.services.pools import app_clients
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

    def move(self, settings: Settings) -> None:
        """Let the installation have another address, where the user pool's other name changes with it."""
        settings.BASE_URL = "https://id.example.com:8443"
        if not self.provider.startswith("cognito-idp."):
            self.provider = f"id.example.com:8443/{self.users.public_id}"

    def logins(self) -> dict[str, str]:
        """Sign in, and return what says so."""
        signed_in = factories.begin(
            self.client,
            username=self.name,
            password=factories.PASSWORD,
            ends_in=machine.EndsIn.TOKENS,
            by=factories.BY,
        )
        assert isinstance(signed_in, machine.SignedIn)
        assert signed_in.tokens
        assert signed_in.tokens.id
        return {self.provider: signed_in.tokens.id}

    def vend(self, custom_role: str | None = None) -> str:
        """Sign in, ask for credentials, return the role that the STS was asked for."""
        logins = self.logins()
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


@pytest.mark.parametrize("address", ["email", "phone_number"])
@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ("at first", "", True),
        ("never", "", False),
        ("never said", "", False),
        ("unreadable", "", True),
        ("at first", "undone", False),
        ("at first", "another", False),
        ("never", "since", True),
    ],
)
def test_an_address_counts_in_rules_and_tags_while_it_is_proven(
    before: str, after: str, counts: bool, address: str, world: World
) -> None:
    mapping = {
        "type": "Rules",
        "ambiguous_role_resolution": "AuthenticatedRole",
        "rules_configuration": {
            "rules": [
                {"claim": address, "match_type": "StartsWith", "value": "+49", "role_arn": ADMIN_ROLE},
                {"claim": f"{address}_verified", "match_type": "Equals", "value": "true", "role_arn": STAFF_ROLE},
            ]
        },
    }
    identity_pools.set_roles(
        world.pool, roles={"authenticated": MEMBER_ROLE}, mappings={world.provider: mapping}, by=BY
    )
    tags = {"from": address, "who": "sub"}
    identity_pools.set_tag_map(world.pool, world.provider, use_defaults=False, tags=tags, by=BY)
    value, said = "+491701234567", f"{address}_verified"  # no matter whether it looks like an address
    row = User.objects.filter(pool_id=world.users.pk, username=world.name)
    row.update(**{address: value, said: {"never": False, "never said": None}.get(before, True)})
    if before == "unreadable":
        app_clients.update(world.client, {"read_attributes": [address]}, by=factories.BY)
        configuration.cache.forget_everything()
    logins = world.logins()
    changes: dict[str, dict[str, Any]] = {"undone": {said: False}, "another": {address: "+1555"}, "since": {said: True}}
    row.update(**{"modified_at": clock.now(), **changes.get(after, {})})

    identity_id = identity_pools.get_id(world.pool, logins, by=BY)
    identity_pools.credentials(identity_id, logins, by=BY)

    sent = world.issuer.last["claims"]["https://aws.amazon.com/tags"]["principal_tags"]
    assert world.issuer.last["role_arn"] == (ADMIN_ROLE if counts else MEMBER_ROLE)
    assert sent == {"who": sent["who"], **({"from": [value]} if counts else {})}


@pytest.mark.parametrize("checked", [False, True])
def test_that_a_login_still_lives_is_asked_by_one_statement(checked: bool, world: World) -> None:
    line = {"provider_name": world.provider, "client_id": world.client.client_id, "server_side_token_check": checked}
    pool = identity_pools.create("pool", settings={"cognito_identity_providers": [line]}, by=BY)
    logins = world.logins()
    identity_logins.verify(pool, logins)
    configuration.cache.poll(force=True)

    with CaptureQueriesContext(connection) as captured:
        identity_logins.verify(pool, logins)

    (asked,) = captured
    assert "refresh_family" in asked["sql"]


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


def test_a_mapping_decides_also_after_the_installation_moved(world: World, settings: Settings) -> None:
    world.choose_by_token("Deny")
    world.move(settings)

    with pytest.raises(NotAuthorized):
        world.vend()
    assert not world.issuer.asked

    world.join("admins", ADMIN_ROLE, 1)
    assert world.vend() == ADMIN_ROLE


def test_a_mapping_of_a_whole_pool_decides_also_after_the_installation_moved(world: World, settings: Settings) -> None:
    mapping = {"type": "Token", "ambiguous_role_resolution": "Deny"}
    roles = {"authenticated": MEMBER_ROLE}
    identity_pools.set_roles(world.pool, roles=roles, mappings={world.provider: mapping}, by=BY)
    world.move(settings)

    with pytest.raises(NotAuthorized):
        world.vend()


def test_tags_and_their_map_are_there_also_after_the_installation_moved(world: World, settings: Settings) -> None:
    identity_pools.set_roles(world.pool, roles={"authenticated": MEMBER_ROLE}, mappings=None, by=BY)
    identity_pools.set_tag_map(world.pool, world.provider, use_defaults=False, tags={"app": "aud"}, by=BY)
    world.move(settings)

    assert world.vend() == MEMBER_ROLE

    tags = world.issuer.last["claims"]["https://aws.amazon.com/tags"]["principal_tags"]
    assert tags == {"app": [world.client.client_id]}
    assert identity_pools.tag_map(world.pool, world.provider)["principal_tags"] == {"app": "aud"}


@pytest.mark.parametrize("key", ["localhost:8000/us-east-1", "id.example/us-east-1_A/x:y", "id.example/:client"])
def test_nobody_gets_a_role_beside_a_mapping_that_cannot_be_read(key: str, world: World) -> None:
    roles = {"authenticated": MEMBER_ROLE}
    mapping = {"type": "Token", "ambiguous_role_resolution": "Deny"}
    with pytest.raises(NotAvailable):
        identity_pools.set_roles(world.pool, roles=roles, mappings={key: mapping}, by=BY)
    identity_pools.set_roles(world.pool, roles=roles, mappings=None, by=BY)
    IdentityPool.objects.filter(pk=world.pool.pk).update(role_mappings={key: mapping})
    configuration.cache.forget_everything()

    with pytest.raises(RoleRefused):
        world.vend()
    assert not world.issuer.asked
