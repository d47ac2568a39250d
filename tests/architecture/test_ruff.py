"""What ruff holds: each planted violation is reported under the path that it pretends to be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, heads, planted

RUFF = str(Path(sys.executable).parent / "ruff")


def codes(text: str, path: str) -> set[str]:
    """Return the codes that ruff reports for a text at a path."""
    done = subprocess.run(
        [RUFF, "check", "--output-format", "json", "--stdin-filename", path, "-"],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return {found["code"] for found in json.loads(done.stdout)}


@pytest.mark.parametrize("path", planted("ruff"), ids=lambda path: path.stem)
def test_ruff_reports(path: Path) -> None:
    head = heads(path)

    assert head["breaks"] in codes(path.read_text(), head["pretend"])


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("environment", "identity/environment.py"),
        ("clock", "identity/foundation/clock.py"),
        ("boto", "identity/foundation/aws_clients.py"),
    ],
)
def test_the_one_room_that_may_is_left_alone(name: str, room: str) -> None:
    planted_there = next(path for path in planted("ruff") if path.stem == name)

    assert "TID251" not in codes(planted_there.read_text(), room)
