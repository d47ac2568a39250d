"""Folders in which Node finds exactly the packages of a lock file, kept from run to run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import servers


def folder(source: Path, name: str) -> Path:
    """Return a folder with the programs of another and the packages of its lock file; skip by what is missing."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs: node and npm (apt-get install nodejs npm)")
    place = servers.slot() / name
    installed = place / "installed"
    with servers.locked(servers.slot() / f"{name}.lock"):
        place.mkdir(exist_ok=True)
        lock = (source / "package-lock.json").read_text()
        for path in (*source.glob("*.mjs"), *source.glob("package*.json")):
            shutil.copy(path, place)
        if not installed.exists() or installed.read_text() != lock:
            install(place, source)
            installed.write_text(lock)
    return place


def install(place: Path, source: Path) -> None:
    """Install exactly what the lock file names."""
    done = run(place, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    if done.returncode:
        named = source.relative_to(servers.ROOT) / "package-lock.json"
        pytest.skip(f"needs: the packages of {named} from npm: {done.stderr[-300:]}")


def run(place: Path, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of Node's."""
    return subprocess.run(command, cwd=place, input=given, capture_output=True, text=True, check=False, timeout=240)
