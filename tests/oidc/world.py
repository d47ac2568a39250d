"""A pool with clients and people, and the applications and browsers that speak to it over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.live import Live

CALLBACK = "https://app.example/callback"
MOBILE = "com.example.app:/signed-in?from=cognate"
AFTER_LOGOUT = "https://app.example/bye"
PASSWORD = "Correct-horse-7"
SCOPES = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"]
PERSON = {"email": "ann@example.org", "email_verified": "true", "given_name": "Ann", "custom:role": "editor"}
FULL = {
    "phone_number": "+14155550100",
    "phone_number_verified": "true",
    "name": "Zoë Ann Example",
    "family_name": "Example",
    "middle_name": "B",
    "nickname": "Annie",
    "preferred_username": "annie",
    "profile": "https://example.org/ann",
    "picture": "https://example.org/ann.png",
    "website": "https://example.org/",
    "gender": "female",
    "birthdate": "1990-02-28",
    "zoneinfo": "Europe/Vienna",
    "locale": "de-AT",
    "address": "1 Harbour Road",
    "updated_at": "1764000000",
}
TYPES: dict[str, type] = {
    "email_verified": bool,
    "phone_number_verified": bool,
    "updated_at": int,
    "address": dict,
}
"""Standard claims that are no text (OpenID Connect Core section 5.1)."""
TEXTS = frozenset({"sub", "email", "given_name", *FULL}) - TYPES.keys()


@dataclass(frozen=True)
class App:
    """An app client as its owner knows it."""

    id: str
    secret: str | None

    def basic(self, secret: str | None = None) -> dict[str, str]:
        """Return the header that proves the secret."""
        pair = f"{self.id}:{secret or self.secret}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


@dataclass(frozen=True)
class Person:
    """A user."""

    username: str
    sub: str
    email: str


@dataclass
class Proof:
    """A PKCE pair."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> dict[str, str]:
        """Return what the authorization request says."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return {
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }


class World:
    """One pool of a live installation."""

    def __init__(self, live: Live) -> None:
        """Make the pool, three clients and a person."""
        self.live = live
        self.idp = live.boto()
        self.pool_id: str = self.idp.create_user_pool(
            PoolName="oidc",
            UsernameAttributes=["email"],
            UsernameConfiguration={"CaseSensitive": False},
            AutoVerifiedAttributes=["email"],
            Schema=[{"Name": "role", "AttributeDataType": "String", "Mutable": True}],
        )["UserPool"]["Id"]
        self.issuer = f"{live.base_url}/{self.pool_id}"
        self.idp.create_resource_server(
            UserPoolId=self.pool_id,
            Identifier="photos",
            Name="Photos",
            Scopes=[{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")],
        )
        self.public = self.app("public")
        self.confidential = self.app("confidential", GenerateSecret=True)
        self.machine = self.app(
            "machine",
            GenerateSecret=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=["photos/read", "photos/write"],
            CallbackURLs=[],
            LogoutURLs=[],
        )
        self.strict_public = self.strict_app("strict public")
        self.strict = self.strict_app("strict", confidential=True)
        self.ann = self.person()

    def app(self, name: str, **settings: Any) -> App:
        """Make an app client with the code grant."""
        given = {
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": SCOPES,
            "CallbackURLs": [CALLBACK, MOBILE],
            "LogoutURLs": [AFTER_LOGOUT],
            "SupportedIdentityProviders": ["COGNITO"],
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            **settings,
        }
        made = self.idp.create_user_pool_client(UserPoolId=self.pool_id, ClientName=name, **given)["UserPoolClient"]
        return App(made["ClientId"], made.get("ClientSecret"))

    def strict_app(self, name: str, *, confidential: bool = False) -> App:
        """Make an app by the management API: such apps are OpenID strict."""
        answer = requests.post(
            f"{self.live.base_url}/api/v1/pools/{self.pool_id}/apps",
            json={
                "name": name,
                "confidential": confidential,
                "oauth_flows": ["code"],
                "scopes": SCOPES,
                "callback_urls": [CALLBACK, MOBILE],
                "logout_urls": [AFTER_LOGOUT],
            },
            headers={"Authorization": "Bearer " + ".".join(self.live.access_key)},
            timeout=20,
        )
        assert answer.status_code == 201, answer.text
        return App(answer.json()["client_id"], answer.json()["secret"])

    def person(self, **attributes: str) -> Person:
        """Make a confirmed user with a password."""
        given = {**PERSON, "email": f"{uuid.uuid4().hex[:12]}@example.org", **attributes}
        made = self.idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=given["email"],
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": name, "Value": value} for name, value in given.items()],
        )["User"]
        username = made["Username"]
        self.idp.admin_set_user_password(UserPoolId=self.pool_id, Username=username, Password=PASSWORD, Permanent=True)
        sub = next(each["Value"] for each in made["Attributes"] if each["Name"] == "sub")
        return Person(username, sub, given["email"])

    def disable(self, person: Person) -> None:
        """Disable a user, as an operator does."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.people import users

        with self.live.orm():
            pool = access.pool(self.pool_id)
            users.set_enabled(pool, access.user(pool, person.username), False, by=Actor.system())

    def browser(
        self, person: Person | None = None, *, signed_in_ago: int = 0, methods: Sequence[str] = ("pwd",)
    ) -> Browser:
        """Return a browser, signed in as somebody (some seconds ago, by these proofs)."""
        browser = Browser(self)
        if person is not None:
            browser.sign_in(person, signed_in_ago, methods)
        return browser

    def url(self, path: str) -> str:
        """Return the address of one of the pool's endpoints."""
        return self.issuer + path

    def post(self, path: str, form: Any, **more: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
        """Post a form, as an application does."""
        return requests.post(self.url(path), data=form, timeout=20, allow_redirects=False, **more)

    def token(
        self, app: App, grant: str, *, headers: dict[str, str] | None = None, **form: str | None
    ) -> requests.Response:
        """Ask the token endpoint, proving the app by the form unless a header does."""
        proof = {"client_id": app.id, **({"client_secret": app.secret} if app.secret else {})}
        sent = {"grant_type": grant, **({} if headers else proof), **form}
        return self.post(
            "/oauth2/token", {name: value for name, value in sent.items() if value is not None}, headers=headers
        )

    def code(self, person: Person | None = None, app: App | None = None, /, **parameters: str) -> str:
        """Return a fresh code for a person and an app."""
        answer = self.browser(person or self.ann).authorize(app or self.public, **parameters)
        return said(answer)["code"]

    def tokens(self, person: Person | None = None, app: App | None = None, /, **parameters: str) -> dict[str, Any]:
        """Return fresh tokens for a person and an app."""
        app = app or self.public
        answer = self.token(app, "authorization_code", code=self.code(person, app, **parameters), redirect_uri=CALLBACK)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def user_info(self, token: str) -> requests.Response:
        """Ask who a token speaks for."""
        return requests.get(self.url("/oauth2/userInfo"), headers={"Authorization": f"Bearer {token}"}, timeout=20)


class Browser:
    """A browser: it keeps cookies and shows where it is sent."""

    def __init__(self, world: World) -> None:
        """Start with no cookies."""
        self.world = world
        self.session = requests.Session()

    def sign_in(self, person: Person, ago: int = 0, methods: Sequence[str] = ("pwd",)) -> None:
        """Take the cookie of a session that the sign-in machine would have made."""
        from pools.services import access
        from pools.services.tokens import sessions
        from tests import factories

        with self.world.live.orm():
            pool = access.pool(self.world.pool_id)
            someone = factories.person_of(pool, person.email)
            opening = sessions.prepare(pool, someone, event_id=uuid.uuid4(), methods=list(methods))
            opening.row.auth_time -= timedelta(seconds=ago)
            self.session.cookies.set(sessions.cookie_name(pool, False), opening.save().cookie)

    def get(self, path: str, /, **parameters: str) -> requests.Response:
        """Open a page of the pool without following where it leads."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self.session.get(self.world.url(path) + query, allow_redirects=False, timeout=20)

    def authorize(self, app: App, /, **parameters: str) -> requests.Response:
        """Come with an application's authorization request."""
        asked = {"client_id": app.id, "redirect_uri": CALLBACK, "response_type": "code", **parameters}
        return self.get("/oauth2/authorize", **asked)

    @property
    def is_signed_in(self) -> bool:
        """Say whether the pool still knows this browser."""
        answer = self.authorize(self.world.public, prompt="none")
        return "code" in said(answer)


def said(answer: requests.Response) -> dict[str, str]:
    """Return what a redirect tells its target."""
    parts = urlsplit(answer.headers["Location"])
    return dict(parse_qsl(parts.query or parts.fragment))


def target(answer: requests.Response) -> str:
    """Return where a redirect leads, without what it tells."""
    return answer.headers["Location"].partition("?")[0].partition("#")[0]


def claims(token: str) -> dict[str, Any]:
    """Return what a JWT says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
