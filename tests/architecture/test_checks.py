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
from identity.foundation import sealing


@pytest.fixture
def safe(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Configure a production without fault."""
    keys = tmp_path / "secret_keys"
    keys.write_text(f"k1 {base64.b64encode(bytes(range(100, 132))).decode()}\n")
    keys.chmod(0o600)
    database = {**configured.DATABASES["default"], "HOST": "db", "USER": "cognate"}
    settings.MODE, settings.DEBUG, settings.DEMO, settings.MESSAGES = "production", False, False, "smtp"
    settings.BASE_URL, settings.CONSOLE_URL = "https://id.example.com", "https://console.example.com"
    settings.SECRET_KEYS_FILE, settings.OUTBOUND_PRIVATE, settings.TRUSTED_PROXIES = keys, False, []
    settings.WIRE_RESPONSE_CHECKS = False
    monkeypatch.setattr(configured, "DATABASES", {"default": database})
    sealing.master_keys.cache_clear()
    yield settings
    sealing.master_keys.cache_clear()


def found() -> set[str]:
    """Return the ids of what the checks report, database apart."""
    every = (checks.sealing_keys_are_safe, checks.production_is_not_development, checks.addresses_are_origins)
    said: list[CheckMessage] = [message for check in every for message in check()]
    return {str(message.id) for message in said}


FAULTS: list[tuple[str, str, Any]] = [
    ("identity.E005", "DEBUG", True),
    ("identity.E006", "DEMO", True),
    ("identity.E007", "MESSAGES", "captured"),
    ("identity.E009", "OUTBOUND_PRIVATE", True),
    ("identity.E010", "TRUSTED_PROXIES", [ipaddress.ip_network("0.0.0.0/0")]),
    ("identity.E011", "BASE_URL", ""),
    ("identity.E012", "BASE_URL", "https://id.example.com/auth"),
    ("identity.E013", "BASE_URL", "http://id.example.com"),
    ("identity.E013", "CONSOLE_URL", "http://console.example.com"),
    ("identity.E014", "CONSOLE_URL", "https://ID.example.com"),
    ("identity.W002", "WIRE_RESPONSE_CHECKS", True),
]


def test_a_safe_production_starts(safe: Settings) -> None:
    del safe

    assert found() == set()


@pytest.mark.parametrize(("id_", "name", "value"), FAULTS)
def test_production_refuses(id_: str, name: str, value: object, safe: Settings) -> None:
    setattr(safe, name, value)

    assert found() == {id_}


@pytest.mark.parametrize(
    ("id_", "spoil"),
    [
        ("identity.E001", lambda keys: keys.unlink()),
        ("identity.E001", lambda keys: keys.write_text("k1 c2hvcnQ=\n")),
        ("identity.E002", lambda keys: keys.chmod(0o620)),
        ("identity.W001", lambda keys: keys.chmod(0o644)),
        ("identity.E003", lambda keys: (keys.parent / "bootstrap.json").write_text("{}")),
        ("identity.E004", lambda keys: keys.write_text(f"k1 {base64.b64encode(b'a' * 32).decode()}\n")),
        ("identity.E004", lambda keys: keys.write_text(keys.read_text().replace("k1", "development"))),
    ],
)
def test_production_refuses_sealing_keys_that_are(id_: str, spoil: Callable[[Path], object], safe: Settings) -> None:
    spoil(safe.SECRET_KEYS_FILE)

    assert found() == {id_}


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


def test_the_environment_of_a_production_is_refused_by_name(tmp_path: Path) -> None:
    import subprocess
    import sys

    told = {"PATH": os.environ["PATH"], "MODE": "production", "DEBUG": "true", "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=configured.BASE_DIR,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    for setting in ("SECRET_KEYS_FILE", "DATABASE_URL", "BASE_URL", "CONSOLE_URL", "DEBUG"):
        assert setting in done.stderr
