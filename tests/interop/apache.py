"""Apache with a module by which it is a service provider of SAML: Debian packages both, all else is in one folder.

A page below a path that is guarded tells, as headers, what the module says of whoever asks.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.federation.saml.identity_provider import certificate, rsa_key
from tests.interop.applications import Browser, Employer
from tests.interop.programs import running

MODULES = Path("/usr/lib/apache2/modules")
PROGRAM = "/usr/sbin/apache2"
ALWAYS = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers")
USER = "User www-data\nGroup www-data"
CONFIGURATION = """ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
ServerName 127.0.0.1:{port}
UseCanonicalName On
Listen 127.0.0.1:{port}
DocumentRoot {folder}/pages
DirectoryIndex index.html
StartServers 1
{modules}
{user}
{more}
"""


def has(module: str) -> bool:
    """Say whether Apache is there, and a module of its."""
    return Path(PROGRAM).exists() and (MODULES / f"{module}.so").exists()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Return a folder that Apache's own user may enter, as it may not those of the tests where they are root's."""
    with tempfile.TemporaryDirectory(prefix="apache-") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@contextlib.contextmanager
def started(place: Path, port: int, modules: Mapping[str, str], pages: Collection[str], more: str) -> Iterator[None]:
    """Run it in a folder with some modules, each with the file it is loaded from, and a page at each path."""
    for path in ("", *pages):
        where = place / "pages" / path
        where.mkdir(parents=True)
        (where / "index.html").write_text("here")
    loaded = {**{f"{name}_module": f"mod_{name}" for name in ALWAYS}, **modules}
    configuration = CONFIGURATION.format(
        folder=place,
        port=port,
        modules="\n".join(f"LoadModule {name} {MODULES}/{file}.so" for name, file in loaded.items()),
        user=USER if os.geteuid() == 0 else "",
        more=more,
    )
    (place / "apache.conf").write_text(configuration)
    command = [PROGRAM, "-f", str(place / "apache.conf"), "-DFOREGROUND"]
    with running(command, f"http://127.0.0.1:{port}/", place):
        yield


def told(names: Mapping[str, str]) -> str:
    """Return directives by which an answer has a header of each name with a variable of the environment."""
    return "\n".join(f'Header always set {name} "expr=%{{reqenv:{variable}}}"' for name, variable in names.items())


class Lane(NamedTuple):
    """A pool, and an Apache that guards a path for each of some applications."""

    employer: Employer
    base: str

    def sign_in(self, browser: Browser, path: str, name: str) -> None:
        """Have somebody sign in, asked by an application."""
        browser.open(f"{self.base}/{path}/")
        self.employer.sign_in(browser, name)
        assert self.knows(browser, path), browser.here.text

    def knows(self, browser: Browser, path: str) -> bool:
        """Say whether an application knows, by itself, who is there."""
        return browser.ask("GET", f"{self.base}/{path}/").status_code == HTTPStatus.OK


def introduce(employer: Employer, place: Path, name: str) -> None:
    """Write down a key and its certificate, by the key's name, and what a pool tells of itself."""
    key = rsa_key(name)
    (place / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (place / "certificate.pem").write_bytes(certificate(key).public_bytes(Encoding.PEM))
    (place / "pool.xml").write_text(employer.metadata)
