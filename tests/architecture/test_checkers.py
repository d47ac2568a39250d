"""What mypy, with Django's stubs, and djlint hold: each planted violation is reported, as `make lint` would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PLANTED, ROOT, heads, planted

BIN = Path(sys.executable).parent


def said(program: str, *arguments: str) -> str:
    """Return what a checker prints, with the project's own configuration."""
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_mypy_reports_each_planted_violation() -> None:
    paths = planted("mypy")
    assert len(paths) > 1

    found = said("mypy", *map(str, paths))

    for path in paths:
        assert re.search(rf"{path.name}:\d+: error: .*\[{heads(path)['breaks']}\]", found), found


@pytest.mark.parametrize("path", sorted((PLANTED / "djlint").glob("*.html")), ids=lambda path: path.stem)
def test_djlint_reports(path: Path) -> None:
    broken = re.search(r"breaks: (\w+)", path.read_text())
    assert broken

    assert broken[1] in said("djlint", "--lint", str(path))


def test_lint_runs_them() -> None:
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]

    assert "mypy ." in lint
    assert "djlint --lint templates" in lint
