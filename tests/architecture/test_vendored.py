"""What others wrote is here as it was taken: each file has its origin, version, licence and hash beside it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

VENDOR = ROOT / "identity" / "static" / "vendor"
HEAD = ["file", "from", "version", "licence", "SHA-256"]
PAPERS = {"VENDOR.md", "LICENSE", "NOTICE"}


def folders() -> list[Path]:
    """Return the folders with files of others: those of the browser's, and any with a licence of its own."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = [ROOT / name for name in listed.splitlines()]
    told = {path.parent for path in tracked if path.name in PAPERS or ".min." in path.name}
    return sorted({path.parent for path in tracked if path.is_relative_to(VENDOR)} | told - {ROOT})


def rows(page: Path) -> dict[str, dict[str, str]]:
    """Return a page's table by the file that each row is about."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == HEAD
    return {row[0]: dict(zip(HEAD, row, strict=True)) for row in cells[2:]}


def wrongs(folder: Path) -> list[str]:
    """Return in what a folder's page and its files differ."""
    if not (folder / "VENDOR.md").exists():
        return ["no page"]
    page = rows(folder / "VENDOR.md")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    found = [f"{name} is not listed" for name in files - page.keys() - PAPERS]
    for name, row in page.items():
        licence = re.fullmatch(r"[\w.-]+ \((\w+)\)", row["licence"])
        if name not in files or hashlib.sha256((folder / name).read_bytes()).hexdigest() != row["SHA-256"]:
            found.append(f"{name} has another hash")
        if not row["from"] or not re.fullmatch(r"\d+\.\d+\.\d+", row["version"]):
            found.append(f"{name} has no origin or version")
        if not licence or licence[1] not in files:
            found.append(f"{name} has no licence")
    return found


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_the_page_says_what_is_there(folder: Path) -> None:
    assert wrongs(folder) == []


def test_the_folders_are_found() -> None:
    assert {folder.name for folder in folders()} >= {"aws4fetch", "oidc-client-ts", "compose_spec"}


PLANTED = {
    "no page": lambda folder: (folder / "VENDOR.md").unlink(),
    "more.js is not listed": lambda folder: (folder / "more.js").write_text("more()"),
    "aws4fetch.esm.js has another hash": lambda folder: (folder / "aws4fetch.esm.js").write_text(""),
    "aws4fetch.esm.js has no licence": lambda folder: (folder / "LICENSE").unlink(),
    "aws4fetch.esm.js has no origin or version": lambda folder: (folder / "VENDOR.md").write_text(
        (folder / "VENDOR.md").read_text().replace("1.0.20", "")
    ),
}


@pytest.mark.parametrize("wrong", PLANTED)
def test_a_planted_difference_is_caught(wrong: str, tmp_path: Path) -> None:
    folder = shutil.copytree(VENDOR / "aws4fetch", tmp_path / "aws4fetch")
    assert wrongs(folder) == []

    PLANTED[wrong](folder)

    assert wrongs(folder) == [wrong]
