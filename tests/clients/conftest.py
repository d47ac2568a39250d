"""What ``make run`` starts, a pool for apps of others in it, and the Node packages of ``package-lock.json``."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser

from tests import node_packages
from tests.browser.conftest import App
from tests.browser.test_addresses import InstalledWorld
from tests.cognito.conftest import PASSWORD, Authenticator, World
from tests.run.installation import lived_in, running

HERE = Path(__file__).parent
NEW_PASSWORD = "Correct-horse-8"
MINUTES = 5
"""What an access token lives here, which is the least."""
NODE = ("node", "--experimental-global-webcrypto")
"""Node 18 has ``crypto``, which every browser has, only so."""
BUNDLED = ("--bundle", "--global-name=app", "--define:global=globalThis", "--log-level=warning")
"""As web apps are: amazon-cognito-identity-js calls what browsers name globalThis by Node's name."""


class Member(NamedTuple):
    """A person, the access token of another session of theirs, and what shows them codes."""

    address: str
    elsewhere: str = ""
    codes: Authenticator | None = None


class Clients(World):
    """A pool where people are called by their mail address, and apps as its clients' developers would set them up."""

    def app(self, *, rotating: bool = False, confidential: bool = False) -> dict[str, Any]:
        """Make an app that signs in by SRP alone."""
        refresh = [] if rotating else ["ALLOW_REFRESH_TOKEN_AUTH"]
        rotation = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}} if rotating else {}
        return self.new_client(
            ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", *refresh],
            AccessTokenValidity=MINUTES,
            IdTokenValidity=MINUTES,
            TokenValidityUnits={"AccessToken": "minutes", "IdToken": "minutes"},
            GenerateSecret=confidential,
            **rotation,
        )

    def member(self, *, careful: bool = False) -> Member:
        """Make a person with a password, who is signed in elsewhere; a careful one is asked for a code, too."""
        address = f"ada-{secrets.token_hex(4)}@example.com"
        elsewhere = str(self.tokens(self.person(address, email=address))["AccessToken"])
        return Member(address, elsewhere, self.enrol(elsewhere) if careful else None)

    def invited(self) -> str:
        """Make a person with a temporary password; return the address."""
        address = f"ada-{secrets.token_hex(4)}@example.com"
        given = [{"Name": "email", "Value": address}, {"Name": "email_verified", "Value": "true"}]
        self.idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=address,
            MessageAction="SUPPRESS",
            TemporaryPassword=PASSWORD,
            UserAttributes=given,
        )
        return address

    def settings(self, app: dict[str, Any], member: Member, *, everywhere: bool = False) -> dict[str, Any]:
        """Return what a web app is told, and what its person types."""
        codes = member.codes
        return {
            "endpoint": self.live.base_url,
            "user_pool_id": self.pool_id,
            "client_id": app["ClientId"],
            "username": member.address,
            "password": PASSWORD,
            "wrong_password": f"{PASSWORD}?",
            "new_password": NEW_PASSWORD,
            "minutes": MINUTES + 1,
            "everywhere": everywhere,
            **({"code": codes.code(), "wrong_code": codes.wrong()} if codes else {}),
        }


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """Return a folder where Node finds the packages, kept from run to run, and the programs that use them."""
    return node_packages.folder(HERE, "clients")


def in_node(folder: Path, app: str, settings: dict[str, Any], act: str = "live") -> dict[str, Any]:
    """Run a web app of ours in Node; return what it saw."""
    done = node_packages.run(folder, *NODE, "node.mjs", app, act, given=json.dumps(settings))
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def in_chromium(folder: Path, app: str, settings: dict[str, Any], browser: Browser, origin: str) -> dict[str, Any]:
    """Run a web app of ours on a page of that origin; return what it saw."""
    bundle = f"{app}.bundle.js"
    made = node_packages.run(folder, "npx", "esbuild", f"{app}.mjs", *BUNDLED, f"--outfile={bundle}")
    assert made.returncode == 0, made.stderr
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(origin)
        page.add_script_tag(path=folder / bundle)
        seen: dict[str, Any] = page.evaluate("settings => app.live(settings)", settings)
    return seen


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Start what ``make run`` starts, and make a pool where a code may be asked for."""
    with running(lived_in(tmp_path_factory.mktemp("clients") / "var")) as installation:
        made = Clients(InstalledWorld(installation), pool={"UsernameAttributes": ["email"]})
        made.mfa("OPTIONAL")
        yield made


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """Return the address of a page where a web app may live."""
    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
