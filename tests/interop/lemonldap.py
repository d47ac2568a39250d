"""LemonLDAP::NG as an identity provider, which speaks SAML by lasso: Debian packages it, all else is in one folder."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests import servers
from tests.federation.saml.identity_provider import certificate, rsa_key
from tests.interop.organisations import Browser, Organisation
from tests.interop.programs import running

PROGRAM = Path("/usr/share/lemonldap-ng/portal/htdocs/index.psgi")
TEMPLATES = PROGRAM.parent.parent / "templates"
PACKAGES = "liblemonldap-ng-portal-perl liblasso-perl libplack-perl libxml-simple-perl libio-string-perl"
NEEDS = f"LemonLDAP::NG (apt-get install --no-install-recommends {PACKAGES})"
WHERE = """[all]
logLevel = warn
checkTime = 600
[configuration]
type = File
dirName = {folder}/conf
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'configuration', 'cache_root' => '{folder}/cache', 'cache_depth' => 3 }}
[portal]
staticPrefix = /static
templateDir = {templates}
languages = en
"""


@dataclass
class LemonLdap:
    """The provider, while it runs."""

    base: str

    @property
    def metadata_url(self) -> str:
        """Return where it tells of itself."""
        return f"{self.base}saml/metadata/idp"

    @property
    def sign_out(self) -> str:
        """Return the address by which somebody signs out of the provider and of everything."""
        return f"{self.base}?logout=1"

    def portal(self, organisation: Organisation) -> str:
        """Return the address by which somebody goes to a pool from the provider's own pages."""
        asked = {"IDPInitiated": "1", "sp": organisation.entity_id, "RelayState": organisation.portal}
        return f"{self.base}saml/singleSignOn?{urlencode(asked)}"

    def sign_in(self, browser: Browser) -> None:
        """Type a name and a password on its page."""
        assert browser.here.url.startswith(self.base), (browser.here.url, browser.here.text)
        browser.fill_in(user="dwho", password="dwho")


def configuration(base: str, folder: Path, organisations: Mapping[Organisation, Mapping[str, str | int]]) -> str:
    """Return its configuration: demonstration accounts, and pools as service providers with options of their own."""
    key = rsa_key("LemonLDAP::NG's")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    public = certificate(key).public_bytes(Encoding.PEM).decode()
    pools = {each.world.pool_id: each for each in organisations}
    options = {
        "NameIDFormat": "persistent",
        "SignSSOMessage": 1,
        "SignSLOMessage": 1,
        "CheckSSOMessageSignature": 1,
        "CheckSLOMessageSignature": 1,
        "EnableIDPInitiatedURL": 1,
    }
    sessions = {"Directory": f"{folder}/sessions", "LockDirectory": f"{folder}/sessions"}
    return json.dumps(
        {
            "cfgNum": 1,
            "cfgDate": 1,
            "cfgVersion": "2.16.1",
            "portal": base,
            "domain": "127.0.0.1",
            "key": "of these tests",
            "securedCookie": 0,
            "authentication": "Demo",
            "userDB": "Same",
            "passwordDB": "Demo",
            "registerDB": "Null",
            "demoExportedVars": {name: name for name in ("cn", "mail", "uid")},
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": sessions,
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": sessions,
            "localSessionStorage": "Cache::FileCache",
            "localSessionStorageOptions": {"namespace": "sessions", "cache_root": f"{folder}/cache", "cache_depth": 3},
            "locationRules": {},
            # It would load what draws pictures, which it never needs here, and all of ImageMagick: this does nothing.
            "captcha": "::Main::Plugin",
            "issuerDBSAMLActivation": 1,
            "samlServicePrivateKeySig": private,
            "samlServicePublicKeySig": public,
            "samlSPMetaDataXML": {name: {"samlSPMetaDataXML": each.metadata} for name, each in pools.items()},
            "samlSPMetaDataExportedAttributes": {name: {"mail": "1;mail;;"} for name in pools},
            "samlSPMetaDataOptions": {
                name: {
                    f"samlSPMetaDataOptions{option}": value
                    for option, value in {**options, **organisations[each]}.items()
                }
                for name, each in pools.items()
            },
        }
    )


def is_installed() -> bool:
    """Say whether it is there, with what its package only recommends or suggests."""
    wanted = ["perl", *(f"-M{module}" for module in ("Lasso", "XML::Simple", "IO::String")), "-e", "1"]
    is_there = PROGRAM.exists() and shutil.which("plackup") and shutil.which("perl")
    return bool(is_there) and subprocess.run(wanted, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def started(folder: Path, organisations: Mapping[Organisation, Mapping[str, str | int]]) -> Iterator[LemonLdap]:
    """Run it in a folder for pools that it knows from the start; skip by name where it is not installed."""
    if not is_installed():
        pytest.skip(f"needs: {NEEDS}")
    for name in ("conf", "cache", "sessions"):
        (folder / name).mkdir()
    port = servers.free_port()
    provider = LemonLdap(f"http://127.0.0.1:{port}/")
    (folder / "lemonldap-ng.ini").write_text(WHERE.format(folder=folder, templates=TEMPLATES))
    (folder / "conf" / "lmConf-1.json").write_text(configuration(provider.base, folder, organisations))
    environment = {"LLNG_DEFAULTCONFFILE": str(folder / "lemonldap-ng.ini")}
    command = ["plackup", "--host", "127.0.0.1", "--port", str(port), "--env", "deployment", str(PROGRAM)]
    with running(command, provider.metadata_url, folder, environment=environment):
        yield provider
