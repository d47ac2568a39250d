"""A data table as values: columns, cells, where the next page is, what to show when there is nothing.

One template draws them all, so that one test covers captions, headers, narrow screens and paging.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.utils.functional import Promise

Tone = Literal["", "good", "warn", "danger"]
Text = str | Promise
"""A text, or one that is translated when it is shown."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: text, a link, an id to copy, a moment, or a state."""

    text: Text = ""
    href: str = ""
    is_code: bool = False
    moment: datetime | None = None
    tone: Tone = ""
    is_badge: bool = False
    note: Text = ""
    """A second, softer line."""
    is_whole: bool = False
    """Whether it stays on one line."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; those that are not needed on a phone say so."""

    heading: Text
    wide_only: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """What a list says when it has nothing, and the next step."""

    title: Text
    text: Text
    action: Text = ""
    href: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A list as it is shown."""

    caption: Text
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: Empty
    next_page: str = ""
    first_page: str = ""
    id: str = field(default="list")

    @property
    def lines(self) -> list[list[tuple[Column, Cell]]]:
        """Return each row's cells beside their columns."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


def moment(value: datetime | None) -> Cell:
    """Return a point in time, or a dash."""
    return Cell(moment=value) if value else Cell(text="–")


def code(text: str, href: str = "") -> Cell:
    """Return an id."""
    return Cell(text=text, href=href, is_code=True)


def state(text: Text, tone: Tone = "") -> Cell:
    """Return a state as a badge."""
    return Cell(text=text, tone=tone, is_badge=True)
