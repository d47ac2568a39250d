"""Two web processes over one database, each met by an address of its own: no yes is kept by the other one.

Whether a person or a token is good holds at once; how a pool and a client are set may be two seconds old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from pools.services.people import users
from pools.services.pools import app_clients
from tests import factories
from tests.cognito.conftest import refused
from tests.live import Live
from tests.oidc.world import PASSWORD, App, Person, World

SETTINGS_AGE = 2.0
Tokens = dict[str, Any]


@dataclass
class Server:
    """One of the processes."""

    world: World
    url: str

    def __post_init__(self) -> None:
        """Make clients whose connections lead nowhere else; by name, both processes are the same installation."""
        self.host = urlsplit(self.world.live.base_url).netloc
        self.idp = self.world.live.boto(url=self.url)
        self.anyone = self.world.live.boto(signed=False, url=self.url)
        for client in (self.idp, self.anyone):
            client.meta.events.register("before-sign", self.name)

    def name(self, request: Any, **_given: Any) -> None:  # noqa: ANN401 - boto3's own
        """Name the installation in a request, before it is signed."""
        request.headers["Host"] = self.host

    def sign_in(self, person: Person, app: App) -> Tokens:
        """Sign in by password; return whatever comes back."""
        found: Tokens = self.anyone.initiate_auth(
            ClientId=app.id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": person.email, "PASSWORD": PASSWORD},
        )
        return found

    def refresh(self, app: App, token: str) -> Tokens:
        """Refresh; return whatever comes back."""
        given = {"REFRESH_TOKEN": token}
        found: Tokens = self.anyone.initiate_auth(ClientId=app.id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
        return found

    def user_info(self, token: str) -> int:
        """Return the status of userInfo."""
        where = f"{self.url}/{self.world.pool_id}/oauth2/userInfo"
        return requests.get(
            where, headers={"Host": self.host, "Authorization": f"Bearer {token}"}, timeout=20
        ).status_code

    def issues(self, app: App) -> int:
        """Return the status of a refresh by OAuth's endpoint with a token that nobody made."""
        form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": app.id}
        where = f"{self.url}/{self.world.pool_id}/oauth2/token"
        return requests.post(where, data=form, headers={"Host": self.host}, timeout=20).status_code

    def believes(self, app: App, tokens: Tokens) -> None:
        """See that the tokens are good for all that they are for."""
        assert self.anyone.get_user(AccessToken=tokens["access_token"])
        assert self.user_info(tokens["access_token"]) == 200
        assert self.refresh(app, tokens["refresh_token"])["AuthenticationResult"]

    def refuses(self, app: App, tokens: Tokens) -> None:
        """See that they are good for nothing."""
        for ask in (
            lambda: self.anyone.get_user(AccessToken=tokens["access_token"]),
            lambda: self.refresh(app, tokens["refresh_token"]),
        ):
            with pytest.raises(ClientError) as caught:
                ask()
            assert caught.value.response["Error"]["Code"] in {"NotAuthorizedException", "UserNotFoundException"}
        assert self.user_info(tokens["access_token"]) == 401


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    return World(live)


@pytest.fixture(scope="module")
def servers(world: World) -> Iterator[tuple[Server, Server]]:
    """Return both processes; what a test does, it does at the first."""
    with world.live.second_web() as second:
        yield Server(world, world.live.base_url), Server(world, second)


def as_operator(verb: Callable[..., None], world: World, person: Person, **more: Any) -> None:
    """Have an operator do this, in a third process as the console may be."""
    from pools.services import access

    with world.live.orm():
        pool = access.pool(world.pool_id)
        verb(pool, access.user(pool, person.username), by=factories.BY, **more)


def disable(server: Server, person: Person, _app: App, _tokens: Tokens) -> None:
    as_operator(users.set_enabled, server.world, person, enabled=False)


def delete(server: Server, person: Person, _app: App, _tokens: Tokens) -> None:
    as_operator(users.delete, server.world, person)


def sign_out(server: Server, _person: Person, _app: App, tokens: Tokens) -> None:
    server.anyone.global_sign_out(AccessToken=tokens["access_token"])


def sign_out_by_operator(server: Server, person: Person, _app: App, _tokens: Tokens) -> None:
    as_operator(users.global_sign_out, server.world, person)


def revoke(server: Server, _person: Person, app: App, tokens: Tokens) -> None:
    server.anyone.revoke_token(ClientId=app.id, Token=tokens["refresh_token"])


@pytest.mark.parametrize("end", [disable, delete, sign_out, sign_out_by_operator, revoke])
def test_tokens_that_are_ended_at_one_are_refused_at_both_at_once(
    servers: tuple[Server, Server], world: World, end: Callable[[Server, Person, App, Tokens], None]
) -> None:
    person, app = world.person(), world.public
    tokens = world.tokens(person, app)
    for server in servers:
        server.believes(app, tokens)

    end(servers[0], person, app, tokens)

    for server in reversed(servers):
        server.refuses(app, tokens)


@pytest.mark.parametrize("end", [disable, delete])
def test_who_is_disabled_or_deleted_at_one_signs_in_at_neither(
    servers: tuple[Server, Server], world: World, end: Callable[[Server, Person, App, Tokens], None]
) -> None:
    person, app = world.person(), world.app("strict", PreventUserExistenceErrors="ENABLED")
    for server in servers:
        assert server.sign_in(person, app)["AuthenticationResult"]

    end(servers[0], person, app, {})

    for server in reversed(servers):
        with refused("NotAuthorizedException"):
            server.sign_in(person, app)


def test_what_is_deleted_is_unknown_at_both_within_two_seconds(servers: tuple[Server, Server], world: World) -> None:
    # A client goes with its pool: nothing else deletes one in this release.
    short = World(world.live)
    app = short.public
    here, there = Server(short, servers[0].url), Server(short, servers[1].url)
    tokens = here.sign_in(short.ann, app)["AuthenticationResult"]
    for server in (here, there):
        assert server.sign_in(short.ann, app)["AuthenticationResult"]
        assert server.issues(app) == 400

    here.idp.delete_user_pool(UserPoolId=short.pool_id)
    sleep(SETTINGS_AGE)

    for server in (there, here):
        with refused("ResourceNotFoundException"):
            server.sign_in(short.ann, app)
        with refused("ResourceNotFoundException"):
            server.refresh(app, tokens["RefreshToken"])
        assert server.issues(app) == 404


def test_a_client_that_is_changed_is_changed_at_both_within_two_seconds(
    servers: tuple[Server, Server], world: World
) -> None:
    from pools.services import access

    person, app = world.person(), world.app("narrowed")
    for server in servers:
        assert server.sign_in(person, app)["AuthenticationResult"]

    with world.live.orm():
        row = access.client(app.id)
        app_clients.update(row, {"explicit_auth_flows": ["ALLOW_REFRESH_TOKEN_AUTH"]}, by=factories.BY)
    sleep(SETTINGS_AGE)

    for server in reversed(servers):
        with refused("InvalidParameterException"):
            server.sign_in(person, app)


def test_second_factors_asked_for_at_one_are_asked_for_at_both_within_two_seconds(
    servers: tuple[Server, Server],
) -> None:
    strict = World(servers[0].world.live)
    for server in servers:
        assert server.sign_in(strict.ann, strict.public)["AuthenticationResult"]

    servers[0].idp.set_user_pool_mfa_config(
        UserPoolId=strict.pool_id, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    sleep(SETTINGS_AGE)

    for server in reversed(servers):
        assert server.sign_in(strict.ann, strict.public)["ChallengeName"] == "MFA_SETUP"
