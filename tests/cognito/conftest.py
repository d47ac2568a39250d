"""Pools of a test's own at the live installation, and people in them."""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time
from typing import Any

import pyotp
import pytest
from botocore.exceptions import ClientError

from tests.live import Live

PASSWORD = "Correct-horse-7"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


class World:
    """A pool and its client, spoken to as an operator (``idp``) and as anyone (``anyone``)."""

    def __init__(self, live: Live, *, pool: dict[str, Any] | None = None, client: dict[str, Any] | None = None) -> None:
        """Make both."""
        self.live = live
        # What Amazon's client would refuse itself must be seen to be refused here.
        self.idp = live.boto(parameter_validation=False)
        self.anyone = live.boto(signed=False, parameter_validation=False)
        self.pool = self.idp.create_user_pool(PoolName="test", **{"AutoVerifiedAttributes": ["email"], **(pool or {})})[
            "UserPool"
        ]
        self.pool_id: str = self.pool["Id"]
        self.client = self.new_client(**(client or {}))
        self.client_id: str = self.client["ClientId"]

    def new_client(self, **settings: Any) -> dict[str, Any]:
        """Make another client."""
        made = self.idp.create_user_pool_client(
            UserPoolId=self.pool_id, ClientName="app", **{"ExplicitAuthFlows": FLOWS, **settings}
        )
        client: dict[str, Any] = made["UserPoolClient"]
        return client

    def mfa(self, mode: str) -> None:
        """Turn TOTP on or off."""
        totp = {} if mode == "OFF" else {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
        self.idp.set_user_pool_mfa_config(UserPoolId=self.pool_id, MfaConfiguration=mode, **totp)

    def person(self, name: str = "", **attributes: str) -> str:
        """Make a confirmed person with a password; return the name."""
        name = name or f"person-{secrets.token_hex(4)}"
        given = {"email": f"{name}@example.com", "email_verified": "true", **attributes}
        self.idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": key, "Value": value} for key, value in given.items()],
        )
        self.idp.admin_set_user_password(UserPoolId=self.pool_id, Username=name, Password=PASSWORD, Permanent=True)
        return name

    def sign_in(self, name: str, password: str = PASSWORD, client_id: str = "", **more: str) -> dict[str, Any]:
        """Sign in by password; return whatever comes back."""
        found: dict[str, Any] = self.anyone.initiate_auth(
            ClientId=client_id or self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password, **more},
        )
        return found

    def tokens(self, name: str, password: str = PASSWORD) -> dict[str, Any]:
        """Sign in by password; return the tokens."""
        found: dict[str, Any] = self.sign_in(name, password)["AuthenticationResult"]
        return found

    def refresh(self, token: str, client_id: str = "", **more: str) -> dict[str, Any]:
        """Refresh; return the tokens."""
        answer = self.anyone.initiate_auth(
            ClientId=client_id or self.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": token, **more},
        )
        found: dict[str, Any] = answer["AuthenticationResult"]
        return found

    def enrol(self, access_token: str) -> Authenticator:
        """Enrol an authenticator with an access token, and have it asked for."""
        app = Authenticator(self.anyone.associate_software_token(AccessToken=access_token)["SecretCode"])
        self.anyone.verify_software_token(AccessToken=access_token, UserCode=app.code(), FriendlyDeviceName="phone")
        self.anyone.set_user_mfa_preference(
            AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )
        return app

    def respond(self, challenge: dict[str, Any], name: str, client_id: str = "", **answers: str) -> dict[str, Any]:
        """Answer a challenge."""
        found: dict[str, Any] = self.anyone.respond_to_auth_challenge(
            ClientId=client_id or self.client_id,
            ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": name, **answers},
        )
        return found

    def user(self, name: str) -> dict[str, Any]:
        """Return a user as an operator sees it."""
        found: dict[str, Any] = self.idp.admin_get_user(UserPoolId=self.pool_id, Username=name)
        del found["ResponseMetadata"]
        return found

    def code(self, to: str, *, count: int = 1) -> str:
        """Return the code of the newest message to an address."""
        body = self.live.message(to, count=count)["body"]
        found = re.search(r"\b\d{6}\b", body)
        assert found, body
        return found[0]


class Authenticator:
    """A person's authenticator app. Each code is of a later step than the last, as a code is good once."""

    def __init__(self, secret: str) -> None:
        """Take the seed; the step before the present one is still accepted, and comes first."""
        self.totp = pyotp.TOTP(secret)
        self.step = int(time()) // 30 - 2

    def code(self) -> str:
        """Return the next code."""
        self.step = max(self.step + 1, int(time()) // 30 - 1)
        return self.totp.at(self.step * 30)

    def last(self) -> str:
        """Return the last code again."""
        return self.totp.at(self.step * 30)

    def wrong(self) -> str:
        """Return a code that is none of the accepted ones."""
        near = {self.totp.at((int(time()) // 30 + drift) * 30) for drift in range(-3, 4)}
        return next(code for number in range(8) if (code := str(number) * 6) not in near)


def secret_hash(client: dict[str, Any], name: str) -> str:
    """Return SECRET_HASH over a name."""
    covered = (name + client["ClientId"]).encode()
    return b64encode(hmac.digest(client["ClientSecret"].encode(), covered, "sha256")).decode()


def named(attributes: list[dict[str, str]]) -> dict[str, str]:
    """Return an attribute list as a map."""
    return {item["Name"]: item["Value"] for item in attributes}


@contextmanager
def refused(code: str, message: str | None = None) -> Iterator[None]:
    """Expect an error of that code and, where given, exactly that text."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, error["Message"] if message is None else message)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return a pool that a module's tests share: each makes people of its own."""
    return World(live)


@pytest.fixture(scope="module")
def careful(live: Live) -> World:
    """Return a pool where a second factor may be had."""
    world = World(live)
    world.mfa("OPTIONAL")
    return world


@pytest.fixture(scope="module")
def aliased(live: Live) -> World:
    """Return a pool where addresses and chosen names sign in, and a second factor may be had."""
    world = World(live, pool={"AliasAttributes": ["email", "preferred_username"]})
    world.mfa("OPTIONAL")
    return world


@pytest.fixture
def new_world(live: Live) -> Callable[..., World]:
    """Return what makes a pool with settings of its own."""

    def make(**settings: Any) -> World:
        return World(live, **settings)

    return make
