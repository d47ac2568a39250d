"""What ``make run`` starts, a pool for apps of others in it, and the Node packages of ``package-lock.json``."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.browser.test_addresses import InstalledWorld
from tests.cognito.conftest import PASSWORD, Authenticator, World
from tests.run.installation import lived_in, running

HERE = Path(__file__).parent
MINUTES = 5
"""What an access token lives here, which is the least."""
NODE = ("node", "--experimental-global-webcrypto")
"""Node 18 has ``crypto``, which every browser has, only so."""


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

    def member(self) -> str:
        """Make a person with a password; return the address."""
        address = f"ada-{secrets.token_hex(4)}@example.com"
        return self.person(address, email=address)

    def careful_member(self) -> tuple[str, Authenticator]:
        """Make a person who is asked for a code, too; return the address and what shows the codes."""
        address = self.member()
        return address, self.enrol(self.tokens(address)["AccessToken"])

    def run(self, program: str, folder: Path, **settings: Any) -> dict[str, Any]:
        """Let a program of ours use a library; return what it saw."""
        given = {
            "endpoint": self.live.base_url,
            "user_pool_id": self.pool_id,
            "password": PASSWORD,
            "wrong_password": f"{PASSWORD}?",
            "minutes": MINUTES + 1,
            **settings,
        }
        done = subprocess.run(
            [*NODE, program],
            cwd=folder,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """Return a folder where Node finds the packages, kept from run to run, and the programs that use them."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs: node and npm (apt-get install nodejs npm)")
    folder = servers.slot() / "clients"
    installed = folder / "installed"
    with servers.locked(servers.slot() / "clients.lock"):
        folder.mkdir(exist_ok=True)
        lock = (HERE / "package-lock.json").read_text()
        for path in (*HERE.glob("*.mjs"), *HERE.glob("package*.json")):
            shutil.copy(path, folder)
        if not installed.exists() or installed.read_text() != lock:
            install(folder)
            installed.write_text(lock)
    return folder


def install(folder: Path) -> None:
    """Install exactly what the lock file names."""
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode:
        pytest.skip(f"needs: the packages of tests/clients/package-lock.json from npm: {done.stderr[-300:]}")


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Start what ``make run`` starts, and make a pool where a code may be asked for."""
    with running(lived_in(tmp_path_factory.mktemp("clients") / "var")) as installation:
        made = Clients(InstalledWorld(installation), pool={"UsernameAttributes": ["email"]})
        made.mfa("OPTIONAL")
        yield made
