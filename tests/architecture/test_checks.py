"""Production refuses to start with anything unsafe: each fault alone, against a set-up without any."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import CheckMessage
from pytest_django import Settings

from identity import checks
from identity.embedded import keys
from identity.embedded.parts import CannotStart
from identity.foundation import sealing
from tests import factories


@pytest.fixture
def safe(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Configure a production without fault."""
    kept = tmp_path / "secret_keys"
    kept.write_text(f"k1 {base64.b64encode(bytes(range(100, 132))).decode()}\n")
    kept.chmod(0o600)
    database = {**configured.DATABASES["default"], "HOST": "db", "USER": "cognate"}
    settings.MODE, settings.DEBUG, settings.DEMO = "production", False, False
    settings.MAIL_CHANNEL, settings.SMS_CHANNEL = "smtp", ""
    settings.BASE_URL, settings.CONSOLE_URL = "https://id.example.com", "https://console.example.com"
    settings.SECRET_KEYS_FILE, settings.OUTBOUND_PRIVATE, settings.TRUSTED_PROXIES = kept, False, []
    settings.WIRE_RESPONSE_CHECKS, settings.INSECURE_PROVIDERS, settings.SOCIAL_PROVIDERS_URL = False, False, ""
    monkeypatch.setattr(configured, "DATABASES", {"default": database})
    sealing.master_keys.cache_clear()
    yield settings
    sealing.master_keys.cache_clear()


FIRST_HEAD = "# Sealing keys, newest first. Without this file nothing sealed can be read.\n"


def embedded_key(folder: Path) -> str:
    """Return the sealing key that `make run` makes in a folder."""
    keys.ensure(folder / "secret_keys")
    return (folder / "secret_keys").read_text().splitlines()[-1] + "\n"


def stripped(lines: str) -> str:
    """Return lines of keys without a comment or a name that says what they are."""
    keys = [line.split()[-1] for line in lines.splitlines() if not line.startswith("#")]
    return "".join(f"k{number} {key}\n" for number, key in enumerate(keys, 1))


def started_again(folder: Path, old: str) -> str:
    """Return the file of keys in a folder of an earlier release after a `make run` of this one."""
    folder.mkdir()
    (folder / "secret_keys").write_text(old)
    keys.ensure(folder / "secret_keys")
    return (folder / "secret_keys").read_text()


def found() -> set[str]:
    """Return the ids of what the checks report, database apart."""
    every = (checks.sealing_keys_are_safe, checks.production_is_not_development, checks.addresses_are_origins)
    said: list[CheckMessage] = [message for check in every for message in check()]
    return {str(message.id) for message in said}


FAULTS: list[tuple[str, str, Any]] = [
    ("identity.E005", "DEBUG", True),
    ("identity.E006", "DEMO", True),
    ("identity.E007", "MAIL_CHANNEL", "captured"),
    ("identity.E007", "SMS_CHANNEL", "captured"),
    ("identity.E009", "OUTBOUND_PRIVATE", True),
    ("identity.E018", "INSECURE_PROVIDERS", True),
    ("identity.E019", "SOCIAL_PROVIDERS_URL", "https://copies.example"),
    *(("identity.E017", "MESSAGES_KEYS", half) for half in (("AKID", ""), ("", "secret"))),
    *(
        ("identity.W005", name, "http://gateway.example")
        for name in ("SES_ENDPOINT_URL", "SNS_ENDPOINT_URL", "EUMS_ENDPOINT_URL", "SNS_STS_ENDPOINT_URL")
    ),
    *(
        ("identity.E010", "TRUSTED_PROXIES", [ipaddress.ip_network(network) for network in networks.split()])
        for networks in (
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/8 ::/0",
            "0.0.0.0/1 128.0.0.0/1",
            "0.0.0.0/1",
            "0.0.0.0/2 64.0.0.0/3 96.0.0.0/3",
            "::ffff:0:0/96",
            "::ffff:0.0.0.0/97 ::ffff:128.0.0.0/97",
            "::/1",
            "2000::/3",
            "2000::/4 3000::/4",
        )
    ),
    ("identity.E011", "BASE_URL", ""),
    *(
        ("identity.E012", name, url)
        for name in ("BASE_URL", "CONSOLE_URL")
        for url in (
            "https://id.example.com/auth",
            "https://id.example.com?x",
            "https://id.example.com#",
            "https://runner:hunter2@id.example.com",
            "https://id.exa mple.com",
            "https://id.example.com ",
            "https://id.example.com\t",
            "https://id.example.com\\",
            "https://id..example.com",
            "https://-id.example.com",
            "https://id%20.example.com",
            "https://id.example.com:port",
            "https://id.example.com:99999",
            "https://id.example.com:0",
            "https://[::1",
            "https://10.0.0",
            "https://",
            "id.example.com",
            "ftp://id.example.com",
        )
    ),
    ("identity.E013", "BASE_URL", "http://id.example.com"),
    ("identity.E013", "CONSOLE_URL", "http://console.example.com"),
    *(
        ("identity.E014", "CONSOLE_URL", url)
        for url in (
            "https://ID.example.com",
            "https://id.example.com:443",
            "https://id.example.com:0443",
            "https://id.example.com.",
            "https://id.example.com/",
            "HTTPS://ID.EXAMPLE.COM.:443/",
        )
    ),
    ("identity.W002", "WIRE_RESPONSE_CHECKS", True),
]


@pytest.mark.parametrize(
    "proxies",
    ["", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7 fe80::/10", "203.0.113.0/24 2001:db8::/32"],
)
def test_a_safe_production_starts(safe: Settings, proxies: str) -> None:
    safe.TRUSTED_PROXIES = [ipaddress.ip_network(each) for each in proxies.split()]

    assert found() == set()


def test_what_is_wrong_with_an_address_is_told_without_it(safe: Settings) -> None:
    safe.BASE_URL = "https://runner:hunter2@id.example.com"

    assert "hunter2" not in str(checks.addresses_are_origins())


@pytest.mark.parametrize(("id_", "name", "value"), FAULTS)
def test_production_refuses(id_: str, name: str, value: object, safe: Settings) -> None:
    setattr(safe, name, value)

    assert found() == {id_}


@pytest.mark.parametrize(
    ("id_", "spoil"),
    [
        ("identity.E001", lambda kept: kept.unlink()),
        ("identity.E001", lambda kept: kept.write_text("k1 c2hvcnQ=\n")),
        ("identity.E002", lambda kept: kept.chmod(0o620)),
        ("identity.W001", lambda kept: kept.chmod(0o644)),
        ("identity.E003", lambda kept: (kept.parent / "bootstrap.json").write_text("{}")),
        ("identity.E004", lambda kept: kept.write_text(f"k1 {base64.b64encode(b'a' * 32).decode()}\n")),
        ("identity.E004", lambda kept: kept.write_text(kept.read_text().replace("k1", "development"))),
        # The key of a `make run`, copied away from it: of this release, and of the first one.
        ("identity.E004", lambda kept: kept.write_text(embedded_key(kept.parent / "elsewhere"))),
        ("identity.E004", lambda kept: kept.write_text(kept.read_text() + embedded_key(kept.parent / "elsewhere"))),
        ("identity.E004", lambda kept: kept.write_text(FIRST_HEAD + kept.read_text())),
        # And without all that says so.
        ("identity.E004", lambda kept: kept.write_text(stripped(embedded_key(kept.parent / "elsewhere")))),
        (
            "identity.E004",
            lambda kept: kept.write_text(stripped(started_again(kept.parent / "old", FIRST_HEAD + kept.read_text()))),
        ),
    ],
)
def test_production_refuses_sealing_keys_that_are(id_: str, spoil: Callable[[Path], object], safe: Settings) -> None:
    spoil(safe.SECRET_KEYS_FILE)

    assert found() == {id_}


@pytest.mark.parametrize(("was", "becomes"), [("k1", "development-1"), ("development-1", "development-2")])
def test_keys_of_an_earlier_release_stay_and_those_of_ones_own_are_not_touched(
    was: str, becomes: str, tmp_path: Path
) -> None:
    own = f"{factories.key_line(was)}\n"
    old = FIRST_HEAD + own

    marked = started_again(tmp_path / "old", old)
    keys.ensure(tmp_path / "old" / "secret_keys")

    assert marked.endswith(old)
    newest, oldest = sealing.keys_of(marked)
    assert (newest.id, oldest) == (becomes, *sealing.keys_of(own))
    assert [sealing.is_for_development(key) for key in (newest, oldest)] == [True, False]
    assert (tmp_path / "old" / "secret_keys").read_text() == marked
    assert (tmp_path / "old" / "secret_keys").stat().st_mode & 0o777 == 0o600
    assert started_again(tmp_path / "own", own) == own


@pytest.mark.parametrize("broken", [b"k1 c2hvcnQ=\n", b"\xff\n", b""])
def test_a_broken_file_of_keys_is_one_line(broken: bytes, tmp_path: Path) -> None:
    path = tmp_path / "secret_keys"
    path.write_bytes(FIRST_HEAD.encode() + broken)

    with pytest.raises(CannotStart) as refused:
        keys.ensure(path)

    assert str(path) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_production_refuses_a_database_that_nobody_named(safe: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(safe.DATABASES, "default", {**safe.DATABASES["default"], "HOST": "localhost", "USER": ""})

    assert found() == {"identity.E008"}


@pytest.mark.parametrize(("name", "value"), [(name, value) for id_, name, value in FAULTS if id_ < "identity.E011"])
def test_development_may(name: str, value: object, safe: Settings) -> None:
    safe.MODE = "development"
    setattr(safe, name, value)

    assert found() == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("threads", "mode", "expected"),
    [(2, "production", set()), (5000, "production", {"identity.E015"}), (5000, "development", {"identity.W015"})],
)
def test_more_threads_than_connections_are_refused(
    threads: int, mode: str, expected: set[str], settings: Settings
) -> None:
    settings.MODE, settings.WEB_THREADS, settings.WEB_WORKERS, settings.WEB_NODES = mode, threads, 1, 1

    assert {str(message.id) for message in checks.connections_suffice(databases=["default"])} == expected


@pytest.mark.parametrize(
    ("said", "copied", "expected"),
    [
        (
            {"CONSOLE_URL": "https://console.exa mple.com"},
            False,
            "E001 SECRET_KEYS_FILE E005 DEBUG E008 DATABASE_URL E011 BASE_URL E012 CONSOLE_URL",
        ),
        (
            {
                "BASE_URL": "https://id.example.com",
                "CONSOLE_URL": "HTTPS://ID.example.com.:443/",
                "TRUSTED_PROXIES": "::ffff:0.0.0.0/97, ::ffff:128.0.0.0/97",
            },
            True,
            "E004 E010 TRUSTED_PROXIES E014 CONSOLE_URL",
        ),
    ],
)
def test_the_environment_of_a_production_is_refused_by_name(
    said: dict[str, str], copied: bool, expected: str, tmp_path: Path
) -> None:
    import subprocess
    import sys

    keys.ensure(tmp_path / "elsewhere" / "secret_keys")
    (tmp_path / "copied").write_text(stripped((tmp_path / "elsewhere" / "secret_keys").read_text()))
    told = {"PATH": os.environ["PATH"], "MODE": "production", "DEBUG": "true", "DATA_DIR": str(tmp_path), **said}
    if copied:
        told["SECRET_KEYS_FILE"] = str(tmp_path / "copied")
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=configured.BASE_DIR,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert [word for word in expected.split() if word not in done.stderr] == []
