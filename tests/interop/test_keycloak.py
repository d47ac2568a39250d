"""Signing in at Keycloak, with its own pages, by each algorithm that it signs by and OpenID Connect knows.

Its distribution comes from Maven Central, once, and stays in ``var/keycloak``; or ``KEYCLOAK_HOME`` says where it is
unpacked. Without Java and Maven it is skipped by name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest
import requests

from identity.foundation.errors import LoginRefused
from pools.ports import LoginDenied, UpstreamWishes
from tests import servers
from tests.interop.upstreams import CALLBACK, SECRET, Trip

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

REALM, PASSWORD, ADMIN = "upstream", "Correct-horse-7", "root-of-this-test"
PATIENCE = 240
VERSION = "26.7.3"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
ALGORITHMS = ("RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512")
KEYS = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run Keycloak with a realm of a person and a client for each algorithm; return the realm's issuer."""
    home = distribution()
    port = servers.free_port()
    folder = tmp_path_factory.mktemp("keycloak")
    environment = {**os.environ, "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD}
    command = ["sh", str(home / "bin" / "kc.sh"), "start-dev", "--db=dev-mem", "--http-host=127.0.0.1"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*command, f"--http-port={port}", "--cache=local"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            base = f"http://localhost:{port}"
            wait(base, process, folder / "log")
            fill(base)
            yield f"{base}/realms/{REALM}"
        finally:
            os.killpg(process.pid, 9)


def distribution() -> Path:
    """Return where Keycloak is unpacked; skip where nothing here can run or fetch it."""
    given = os.environ.get("KEYCLOAK_HOME", "")
    if not shutil.which("java") or not (given or shutil.which("mvn")):
        pytest.skip(f"without Java and Maven: Keycloak ({ARTIFACT})")
    if given:
        return Path(given)
    folder = servers.ROOT / "var" / "keycloak"
    home = folder / f"keycloak-{VERSION}"
    if not home.exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = (f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}")
        subprocess.run(["mvn", "-q", "-B", COPY, *options], check=True, timeout=300)
        archive = folder / f"keycloak-quarkus-dist-{VERSION}.zip"
        with tempfile.TemporaryDirectory(dir=folder) as unpacked, zipfile.ZipFile(archive) as whole:
            whole.extractall(unpacked)
            (Path(unpacked) / home.name).rename(home)
        archive.unlink()
    return home


def wait(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until Keycloak answers."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if requests.get(f"{base}/realms/master", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


def fill(base: str) -> None:
    """Make the realm."""
    form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": PASSWORD}
    token = requests.post(f"{base}/realms/master/protocol/openid-connect/token", data=form, timeout=30).json()
    clients = [
        {
            "clientId": alg,
            "secret": SECRET,
            "redirectUris": [CALLBACK],
            "clientAuthenticatorType": "client-secret",
            "attributes": {"id.token.signed.response.alg": alg, "pkce.code.challenge.method": "S256"},
        }
        for alg in ALGORITHMS
    ]
    person = {
        "username": "ada",
        "enabled": True,
        "email": "ada@id.example",
        "emailVerified": True,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
    }
    keys = [
        {"name": alg, "providerId": "ecdsa-generated", "config": {"ecdsaEllipticCurveKey": [curve]}}
        for alg, curve in KEYS.items()
    ]
    realm = {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "clients": clients,
        "users": [person],
        "components": {"org.keycloak.keys.KeyProvider": [*keys, {"name": "rsa", "providerId": "rsa-generated"}]},
    }
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    made = requests.post(f"{base}/admin/realms", json=realm, headers=headers, timeout=60)
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_who_signs_in_at_keycloak_comes_back(keycloak: str, alg: str) -> None:
    trip = Trip(keycloak, alg).go({"username": "ada", "password": PASSWORD})

    found = trip.finish()

    assert trip.answer["iss"] == keycloak
    assert trip.redirect.kept["tells_issuer"] == "yes"
    assert (found.claims["email"], found.claims["email_verified"]) == ("ada@id.example", True)
    assert (found.claims["given_name"], found.claims["family_name"]) == ("Ada", "Lovelace")
    assert found.authenticated_at is not None
    assert found.subject == Trip(keycloak, "RS256").go({"username": "ada", "password": PASSWORD}).finish().subject


def test_who_wants_to_sign_in_is_in_keycloaks_form(keycloak: str) -> None:
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login")

    trip = Trip(keycloak, "RS256").go({"username": "ada", "password": PASSWORD}, wishes=wishes)

    assert 'value="ada@id.example"' in trip.seen[0]
    assert trip.finish().claims["preferred_username"] == "ada"


def test_keycloak_refuses_another_secret_and_a_code_that_was_used(keycloak: str) -> None:
    typed = {"username": "ada", "password": PASSWORD}
    assert Trip(keycloak, "RS256", client_secret="another").go(typed).refused().parameters["error"] in {
        "unauthorized_client",
        "invalid_client",
    }

    twice = Trip(keycloak, "RS256").go(typed)
    twice.finish()
    refused = twice.refused()
    assert (type(refused), refused.parameters["error"]) == (LoginRefused, "invalid_grant")


def test_an_answer_of_another_realm_is_refused(keycloak: str) -> None:
    trip = Trip(keycloak, "RS256").go({"username": "ada", "password": PASSWORD})
    trip.answer["iss"] = urlsplit(keycloak)._replace(path="/realms/master").geturl()

    assert trip.refused().detail == "answer: iss is another issuer's"


def test_keycloaks_own_errors_are_told(keycloak: str) -> None:
    refused = Trip(keycloak, "RS256", authorize_scopes="openid no-such-scope").go({}).refused()

    assert not isinstance(refused, LoginDenied)
    assert refused.parameters["error"] == "invalid_scope"
