"""What `make` does before anything of ours runs: packages by their lock, and arguments that arrive whole."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests import servers

INSTALLER = servers.ROOT / "identity" / "embedded" / "packages.py"
NAMES = ("alpha", "beta", "gamma")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run our Makefile in a clone where everything is installed and Python says what it is asked."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text('#!/bin/sh\nfor given; do printf "<%s>" "$given"; done\n')
    python.chmod(0o755)
    for file in ("Makefile", "requirements/embedded.lock"):
        (folder / file).parent.mkdir(exist_ok=True)
        shutil.copy(servers.ROOT / file, folder / file)
    (folder / ".venv" / ".embedded").touch()
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["ada", "Ada Lovelace", "--reset", "a'b\"c;d", "ädä"])
def test_an_operators_name_arrives_as_it_is(tmp_path: Path, name: str) -> None:
    done = make(tmp_path / "My projects é", "operator", f"NAME={name}")

    assert done.stdout == f"<-m><identity.embedded.running><create_operator><--><{name}>", done.stderr


@pytest.mark.parametrize("environment", [{}, {"NAME": "DESKTOP-7"}])
def test_a_missing_name_is_one_line(tmp_path: Path, environment: dict[str, str]) -> None:
    done = make(tmp_path, "operator", **environment)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "NAME is missing: make operator NAME=ada"


def wheel(folder: Path, name: str) -> str:
    """Make a package of one module; return its entry of a lock."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{file},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        f"{len(text.encode())}\n"
        for file, text in files.items()
    )
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(file, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Clone:
    """A clone below a path with a space, with wheels on the disk in the package index's place."""

    def __init__(self, folder: Path) -> None:
        """Make an environment and a lock."""
        self.folder = folder
        self.wheels, self.lock = folder / "wheels", folder / "requirements" / "some.lock"
        self.wheels.mkdir(parents=True)
        self.lock.parent.mkdir()
        shutil.copy(servers.ROOT / "requirements" / "installer.lock", self.lock.parent)
        venv.create(folder / ".venv", symlinks=True)
        [self.packages] = folder.glob(".venv/lib/python*/site-packages")
        self.copy("pip")  # compiled, as ensurepip would leave it seconds later
        self.entries = [wheel(self.wheels, name) for name in NAMES]
        self.lock.write_text(
            "".join(self.entries) + f"windows==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:{'0' * 64}\n"
        )

    def copy(self, name: str) -> None:
        """Have a package of the environment that tests run in; skip where there is none."""
        found = importlib.util.find_spec(name)
        if not found or not found.origin:
            pytest.skip(f"{name} has no wheel for this machine")
        shutil.copytree(Path(found.origin).parent, self.packages / name)

    def install(self) -> subprocess.CompletedProcess[str]:
        """Do what `make` does."""
        foreign = ("PIP_", "UV_", "PYTHON")
        return subprocess.run(
            [str(self.folder / ".venv" / "bin" / "python"), "-I", str(INSTALLER), "requirements/some.lock"],
            cwd=self.folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": self.wheels.as_uri(),
                "PIP_CONFIG_FILE": os.devnull,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> list[str]:
        """Return which modules are there."""
        return sorted(name for name in NAMES if (self.packages / f"{name}.py").exists())


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_packages_are_installed_by_their_hashes_with_progress_and_after_an_interruption(
    tmp_path: Path, tool: str
) -> None:
    clone = Clone(tmp_path / "My projects é")
    if tool == "uv":
        clone.copy("uv")
        (clone.folder / ".venv" / "bin" / "uv").symlink_to(Path(sys.prefix) / "bin" / "uv")

    first = clone.install()
    (clone.packages / "beta.py").unlink()  # as when the installer was killed: half a package that looks whole
    (clone.folder / ".venv" / "installing").write_text(clone.entries[1])
    second = clone.install()
    there = clone.installed()
    clone.lock.write_text(clone.lock.read_text() + f"delta==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    wheel(clone.wheels, "delta")
    third = clone.install()

    assert (first.returncode, first.stderr) == (0, "")
    begun, *progress = first.stdout.splitlines()
    assert begun == f"Installing 3 packages of some.lock into {clone.folder / '.venv'}"
    assert [line.partition(" (")[0] for line in progress] == [f"Packages: {done} of 3 installed" for done in (1, 2, 3)]
    assert (clone.packages / "alpha-1.0.dist-info" / "INSTALLER").read_text().strip() == tool
    assert (second.returncode, there) == (0, list(NAMES))
    assert third.returncode == 1
    assert third.stderr.startswith("\nThe packages of requirements/some.lock cannot be installed:\n")
    assert "hash" in third.stderr.lower()
    assert not (clone.packages / "delta.py").exists()
