"""Stylesheets say start and end, never left and right: a page in Arabic is the same page, mirrored.

And light and dark differ by ``light-dark()`` alone, which gives colours: a dark page has the light one's shape.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import PLANTED, ROOT

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
BANNED = {
    "property": re.compile(r"(?<![\w-])(?:[a-z-]+-)?(?:left|right)(?:-[a-z-]+)?\s*:"),
    "value": re.compile(r"(?:text-align|float|clear)\s*:\s*(?:left|right)\b"),
    "four_sides": re.compile(r"(?:margin|padding|inset|scroll-margin|scroll-padding)\s*:(?:\s+[^\s;}()]+){4}\s*[;}]"),
    "scheme": re.compile(r"prefers-color-scheme"),
}


def sheets() -> list[Path]:
    """Return what we wrote; another's stays as it came."""
    places = (ROOT / "pools" / "static", ROOT / "identity" / "static")
    return [path for place in places for path in sorted(place.rglob("*.css")) if "vendor" not in path.parts]


def wrongs(path: Path) -> set[str]:
    """Return what a stylesheet does that is banned."""
    text = COMMENT.sub("", path.read_text())
    return {name for name, shape in BANNED.items() if shape.search(text)}


def test_no_sheet_knows_left_from_right_or_more_of_the_dark_than_colours() -> None:
    assert {path.name for path in sheets()} >= {"cognate.css", "console.css", "demo.css"}
    assert {path.name: wrongs(path) for path in sheets() if wrongs(path)} == {}


@pytest.mark.parametrize("name", BANNED)
def test_a_planted_sheet_is_caught_for(name: str) -> None:
    assert wrongs(PLANTED / "stylesheets" / f"{name}.css") == {name}
