"""SimpleSAMLphp as an identity provider, by PHP's own web server: Debian packages it, all else is in one folder."""

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
from tests.federation.saml.identity_provider import PERSISTENT, certificate, rsa_key
from tests.interop.organisations import Browser, Organisation
from tests.interop.programs import running

INSTALLED = Path("/usr/share/simplesamlphp")
NEEDS = "SimpleSAMLphp (apt-get install --no-install-recommends simplesamlphp php-cli php-xml)"
PASSWORD = "Correct-horse-7"
CONFIG = """<?php
$folder = dirname(__DIR__);
$config = [
    'baseurlpath' => getenv('SSP_BASE'),
    'certdir' => "$folder/cert/",
    'loggingdir' => "$folder/",
    'datadir' => "$folder/",
    'tempdir' => "$folder/tmp",
    'metadatadir' => "$folder/metadata",
    'timezone' => 'UTC',
    'secretsalt' => 'of these tests',
    'auth.adminpassword' => 'nobody signs in so',
    'technicalcontact_email' => 'nobody@corp.example',
    'admin.checkforupdates' => false,
    'logging.handler' => 'file',
    'logging.level' => SimpleSAML\\Logger::DEBUG,
    'showerrors' => true,
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'language.cookie.secure' => false,
    'metadata.sources' => [['type' => 'flatfile']],
    'session.phpsession.savepath' => "$folder/tmp",
];
"""
PEOPLE = f"""<?php
$config = ['people' => ['exampleauth:UserPass', 'ada:{PASSWORD}' => [
    'uid' => ['Ada.Lovelace'], 'mail' => ['ada@corp.example'], 'displayName' => ['Ada Lovelace & “Söhne”'],
]]];
"""
ITSELF = f"""<?php
$metadata['__DYNAMIC:1__'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'own.pem',
    'certificate' => 'own.crt',
    'auth' => 'people',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'sign.logout' => true,
    'validate.logout' => true,
    'NameIDFormat' => '{PERSISTENT}',
    'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid', 'Format' => '{PERSISTENT}']],
];
"""
POOLS = """<?php
foreach (glob(dirname(__DIR__) . '/pools/*.xml') as $file) {
    $pool = SimpleSAML\\Metadata\\SAMLParser::parseFile($file)->getMetadata20SP();
    $metadata[$pool['entityid']] = array_merge($pool, json_decode(file_get_contents("$file.json"), true));
}
"""


@dataclass
class SimpleSaml:
    """The provider, while it runs."""

    base: str
    folder: Path

    @property
    def metadata_url(self) -> str:
        """Return where it tells of itself."""
        return f"{self.base}saml2/idp/metadata.php"

    def enrol(self, organisation: Organisation, settings: Mapping[str, bool | str] | None = None) -> None:
        """Give it a pool's metadata, and settings of its own for that pool."""
        place = self.folder / "pools" / f"{organisation.world.pool_id}.xml"
        place.with_name(f"{place.name}.json").write_text(json.dumps(settings or {}))
        place.write_text(organisation.metadata)

    def portal(self, organisation: Organisation) -> str:
        """Return the address by which somebody goes to a pool from the provider's own pages."""
        asked = {"spentityid": organisation.entity_id, "RelayState": organisation.portal}
        return f"{self.base}saml2/idp/SSOService.php?{urlencode(asked)}"

    @property
    def sign_out(self) -> str:
        """Return the address by which somebody signs out of the provider and of everything."""
        return f"{self.base}saml2/idp/SingleLogoutService.php?{urlencode({'ReturnTo': f'{self.base}index.php'})}"

    def sign_in(self, browser: Browser) -> None:
        """Type a name and a password on its page."""
        assert browser.here.url.startswith(self.base), (browser.here.url, browser.here.text)
        browser.fill_in(username="ada", password=PASSWORD)


def is_installed() -> bool:
    """Say whether it is there, with what PHP needs to run it."""
    reads_xml = ["php", "-r", "exit(class_exists('DOMDocument') ? 0 : 1);"]
    is_there = (INSTALLED / "www").exists() and shutil.which("php")
    return bool(is_there) and subprocess.run(reads_xml, check=False).returncode == 0


@contextlib.contextmanager
def started(folder: Path) -> Iterator[SimpleSaml]:
    """Run it in a folder; skip by name where it is not installed."""
    if not is_installed():
        pytest.skip(f"needs: {NEEDS}")
    for name in ("config", "cert", "metadata", "pools", "tmp", "root"):
        (folder / name).mkdir()
    (folder / "root" / "simplesaml").symlink_to(INSTALLED / "www")
    key = rsa_key("SimpleSAMLphp's")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "cert" / "own.pem").write_bytes(private)
    (folder / "cert" / "own.crt").write_bytes(certificate(key).public_bytes(Encoding.PEM))
    (folder / "config" / "config.php").write_text(CONFIG)
    (folder / "config" / "authsources.php").write_text(PEOPLE)
    (folder / "metadata" / "saml20-idp-hosted.php").write_text(ITSELF)
    (folder / "metadata" / "saml20-sp-remote.php").write_text(POOLS)
    port = servers.free_port()
    base = f"http://127.0.0.1:{port}/simplesaml/"
    environment = {"SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config"), "SSP_BASE": base}
    command = ["php", "-S", f"127.0.0.1:{port}", "-t", str(folder / "root")]
    provider = SimpleSaml(base, folder)
    with running(command, provider.metadata_url, folder, environment=environment):
        yield provider
