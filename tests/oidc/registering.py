"""A pool where apps register themselves, and the requests by which they do."""

from __future__ import annotations

from typing import Any

import requests

from tests.live import Live
from tests.oidc.world import CALLBACK, App, World

REGISTER = "aws.cognito/dcr/register"
PEOPLE: dict[str, Any] = {"client_name": "Photo frame", "redirect_uris": [CALLBACK]}
MACHINE: dict[str, Any] = {"client_name": "Robot", "grant_types": ["client_credentials"], "scope": "photos/read"}
SETTING: dict[str, Any] = {
    "OpenDcrEnabled": True,
    "AllowedScopes": ["photos/read", "aws.cognito.signin.user.admin", REGISTER],
}
MACHINES = {
    "GenerateSecret": True,
    "AllowedOAuthFlows": ["client_credentials"],
    "CallbackURLs": [],
    "LogoutURLs": [],
}


class Registering(World):
    """A pool where apps register themselves, and one app whose tokens let them."""

    def __init__(self, live: Live, **setting: Any) -> None:
        """Switch registration on."""
        super().__init__(live)
        self.configure(**{**SETTING, **setting})
        self.registrar = self.app("registrar", **MACHINES, AllowedOAuthScopes=[REGISTER, "photos/read"])
        self.key = self.token_of(self.registrar, REGISTER)

    def configure(self, **setting: Any) -> None:
        """Replace the setting, and leave the rest of the pool as it was made."""
        self.idp.update_user_pool(
            UserPoolId=self.pool_id, DcrConfiguration=setting, AutoVerifiedAttributes=["email"], PoolName="oidc"
        )

    def token_of(self, app: App, scope: str) -> str:
        """Return an access token of an app's own."""
        answer = self.token(app, "client_credentials", scope=scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def send(self, body: bytes, *, key: str = "", path: str = "/oauth2/register", **headers: str) -> requests.Response:
        """Send bytes to the endpoint, as JSON unless said otherwise."""
        given = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {}), **headers}
        return requests.post(self.url(path), body, headers=given, timeout=20, allow_redirects=False)

    def register(self, metadata: object, *, key: str = "") -> requests.Response:
        """Register, with a token or openly."""
        prepared = requests.Request("POST", self.url("/"), json=metadata).prepare()
        assert isinstance(prepared.body, bytes)
        return self.send(prepared.body, key=key)

    def registered(self, metadata: object, *, key: str = "") -> dict[str, Any]:
        """Register, which must succeed."""
        answer = self.register(metadata, key=key)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def described(self, client_id: str) -> dict[str, Any]:
        """Return an app as an administrator sees it."""
        found: dict[str, Any] = self.idp.describe_user_pool_client(UserPoolId=self.pool_id, ClientId=client_id)
        return dict(found["UserPoolClient"])

    def clients(self, **which: str) -> set[str]:
        """Return the ids of the pool's apps, or of those of a kind."""
        pages = self.idp.get_paginator("list_user_pool_clients").paginate(UserPoolId=self.pool_id, **which)
        return {line["ClientId"] for page in pages for line in page["UserPoolClients"]}


def app_of(made: dict[str, Any]) -> App:
    """Return an app as its owner knows it, by what the endpoint answered."""
    return App(made["client_id"], made.get("client_secret"))
