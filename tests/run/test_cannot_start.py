"""``make run`` that cannot start says why in one line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from identity.embedded import folder
from identity.embedded.parts import CannotStart
from tests import servers
from tests.run.installation import attempt

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        tried = attempt(tmp_path / "var", PORT=port)

    assert tried.returncode == 1
    assert tried.stderr == f"Port {port} is taken by another program: stop it, or set PORT to a free port.\n"


def test_another_mode_is_one_line(tmp_path: Path) -> None:
    tried = attempt(tmp_path / "var", MODE="production")

    assert tried.returncode == 1
    assert tried.stderr == "`make run` is for MODE=development; production is served by `docker compose up`.\n"
    assert not (tmp_path / "var").exists()


def test_one_port_for_both_is_one_line(tmp_path: Path) -> None:
    port = str(servers.free_port())

    tried = attempt(tmp_path / "var", PORT=port, TLS_PORT=port)

    assert tried.returncode == 1
    assert tried.stderr == f"PORT and TLS_PORT are both {port}: set one of them to another port.\n"


@pytest.mark.parametrize("command", [("embedded",), ("serve", "web"), ("serve", "worker")])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "SMTP_PASSWORD_FILE",
            "/nowhere/it",
            "SMTP_PASSWORD_FILE: /nowhere/it cannot be read: No such file or directory.",
        ),
        ("WEB_THREADS", "1", "WEB_THREADS: Input should be greater than or equal to 2."),
    ],
)
def test_a_setting_that_is_wrong_is_one_line(
    tmp_path: Path, command: tuple[str, ...], name: str, value: str, said: str
) -> None:
    tried = attempt(tmp_path / "var", *command, **{name: value})

    assert (tried.returncode, tried.stderr) == (1, f"{said}\n")


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "NEEDED_MEGABYTES", 10**12)

    with pytest.raises(CannotStart, match=r"^The disk is full: .* MB left, \d+ MB are needed\.$"):
        folder.check_room(tmp_path)


@pytest.mark.parametrize(
    "record", [{"format": 99, "migrations": {}}, {"format": 1, "migrations": {"pools": ["9999_from_the_future"]}}]
)
def test_a_folder_of_a_newer_version_is_one_line(tmp_path: Path, record: dict[str, object]) -> None:
    (tmp_path / "version.json").write_text(json.dumps(record))

    tried = attempt(tmp_path)

    assert tried.returncode == 1
    assert tried.stderr.startswith(f"The data folder {tmp_path} belongs to a newer version: it has ")
    assert tried.stderr.count("\n") == 1


def test_a_newer_postgres_cluster_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("99\n")

    tried = attempt(tmp_path)

    assert "belongs to a newer version: it holds PostgreSQL 99" in tried.stderr
    assert tried.stderr.count("\n") == 1


def test_an_old_python_is_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    made = subprocess.run(
        ["make", "--always-make", "--file", str(servers.ROOT / "Makefile"), ".venv/bin/python"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )

    said = made.stderr.splitlines()
    assert made.returncode
    assert said[0] == "Python 3.11 or newer is missing: apt-get install python3 python3-venv"
