"""Keycloak with a realm of one person, as a provider by either protocol.

Its distribution comes from Maven Central, once, and stays in ``var/keycloak``; or ``KEYCLOAK_HOME`` says where it is
unpacked. Without Java and Maven it is skipped by name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests import servers
from tests.interop.organisations import Browser, Organisation
from tests.interop.programs import running
from tests.interop.upstreams import CALLBACK, SECRET

REALM, PASSWORD, ADMIN = "upstream", "Correct-horse-7", "root-of-this-test"
PATIENCE = 240
VERSION = "26.7.3"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
TIMEOUT = 60
ALGORITHMS = ("RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512")
"""By which it signs ID tokens: a client of OpenID Connect has the name of each."""
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
PERSON = {
    "username": "ada",
    "enabled": True,
    "email": "ada@id.example",
    "emailVerified": True,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
}


@dataclass
class Keycloak:
    """The server, while it runs."""

    base: str

    @property
    def issuer(self) -> str:
        """Return the realm's issuer."""
        return f"{self.base}/realms/{REALM}"

    @property
    def metadata_url(self) -> str:
        """Return where it tells of itself by SAML."""
        return f"{self.issuer}/protocol/saml/descriptor"

    @property
    def sign_out(self) -> str:
        """Return the address by which somebody signs out of the realm and of everything."""
        return f"{self.issuer}/protocol/openid-connect/logout"

    def admin(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask its management API."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": PASSWORD}
        where = f"{self.base}/realms/master/protocol/openid-connect/token"
        token = requests.post(where, data=form, timeout=TIMEOUT).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        answer = requests.request(method, f"{self.base}/admin/realms{path}", headers=headers, timeout=TIMEOUT, **more)
        assert answer.ok, answer.text
        return answer

    def fill(self) -> None:
        """Make the realm."""
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
        keys = [
            {"name": alg, "providerId": "ecdsa-generated", "config": {"ecdsaEllipticCurveKey": [curve]}}
            for alg, curve in CURVES.items()
        ]
        realm = {
            "realm": REALM,
            "enabled": True,
            "sslRequired": "none",
            "clients": clients,
            "users": [PERSON],
            "components": {"org.keycloak.keys.KeyProvider": [*keys, {"name": "rsa", "providerId": "rsa-generated"}]},
        }
        self.admin("POST", "", json=realm)

    def enrol(self, organisation: Organisation, attributes: Mapping[str, str] | None = None) -> None:
        """Give it a pool's metadata, and settings of its own for that pool."""
        kind = {"Content-Type": "application/xml"}
        read = f"/{REALM}/client-description-converter"
        client = self.admin("POST", read, data=organisation.metadata.encode(), headers=kind).json()
        client["attributes"] |= {"saml_name_id_format": "username", "saml_force_name_id_format": "true"}
        client["attributes"] |= attributes or {}
        client["frontchannelLogout"] = True
        config = {"user.attribute": "email", "attribute.name": "mail"}
        mapper = {"name": "mail", "protocol": "saml", "protocolMapper": "saml-user-property-mapper", "config": config}
        client["protocolMappers"] = [mapper]
        self.admin("POST", f"/{REALM}/clients", json=client)

    def portal(self, organisation: Organisation) -> str:
        """Return the address by which somebody goes to a pool from the provider's own pages."""
        return f"{self.issuer}/protocol/saml/clients/{organisation.world.pool_id}"

    def sign_in(self, browser: Browser) -> None:
        """Type a name and a password on its page."""
        assert browser.here.url.startswith(self.base), (browser.here.url, browser.here.text)
        browser.fill_in(username="ada", password=PASSWORD)


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Keycloak]:
    """Run it, with a client of OpenID Connect for each algorithm and none of SAML."""
    home = distribution()
    port = servers.free_port()
    environment = {"KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD}
    command = ["sh", str(home / "bin" / "kc.sh"), "start-dev", "--db=dev-mem", "--http-host=127.0.0.1"]
    command += [f"--http-port={port}", "--cache=local"]
    server = Keycloak(f"http://localhost:{port}")
    with running(command, f"{server.base}/realms/master", folder, environment=environment, seconds=PATIENCE):
        server.fill()
        yield server


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
