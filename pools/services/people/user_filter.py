"""The filter of ListUsers: parsed, never interpolated. Pure: from text to a range of what orders the pages.

Case counts in ``status``, and in usernames where it does in the pool; nowhere else (AWS: API_ListUsers, Filter;
Managing and searching user accounts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from identity.foundation.errors import Invalid
from identity.foundation.names import is_uuid
from pools.models.user import SEARCHABLE, Status
from pools.services.pools import schema

LENGTH = 256
COLUMNS = frozenset({"username", *SEARCHABLE})
FILTER = re.compile(
    r"""\s*(?P<name>"[^"\\]+"|[\w:.\-]+)\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*""",
    re.DOTALL,
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
GREATEST = chr(0x10FFFF)
COLUMN_LENGTH = 2048
BEHIND = GREATEST * (COLUMN_LENGTH + 1)
"""Behind a head, what makes it greater than all texts that a column holds with that head. It has no case."""
ONLY = "\x01"
"""Behind a text, what makes it greater than that text and nothing else: no text that is stored has less."""
HEAD = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Everyone:
    """No condition."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """A condition that nothing fits."""


@dataclass(frozen=True, slots=True)
class Subs:
    """A range of ``sub``, both ends in it."""

    first: UUID
    last: UUID


@dataclass(frozen=True, slots=True)
class OfStatus:
    """One of Cognito's states."""

    status: str


@dataclass(frozen=True, slots=True)
class Enabled:
    """Whether somebody may sign in."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Texts:
    """A range of a column, from ``first`` to less than ``below``, in the order that the column's pages have."""

    column: str
    first: str
    below: str


Condition = Everyone | Nobody | Subs | OfStatus | Enabled | Texts
STATUS: dict[str, Condition] = {"Enabled": Enabled(enabled=True), "Disabled": Enabled(enabled=False)}
USER_STATUS: dict[str, Condition] = {status.lower(): OfStatus(status) for status in Status.values}


def parse(text: str | None, as_username: Callable[[str], str] = str) -> Condition:
    """Return the condition that a filter says; without a filter, everyone.

    ``as_username`` makes of a name what the pool keeps as its username.

    Raises:
        Invalid: it is not of the form ``name = "value"`` or ``name ^= "prefix"``, or not of a searchable attribute.

    """
    if text is None or not text.strip():
        return Everyone()
    found = FILTER.fullmatch(text) if len(text) <= LENGTH and _is_storable(text) else None
    if found is None:
        raise Invalid("Error while parsing filter.", field="filter", code="filter")
    name = found["name"].strip('"')
    value = ESCAPED.sub(r"\1", found["value"])
    prefix = found["operator"] == "^="
    if name in COLUMNS:
        value = as_username(value) if name == "username" else value
        return Texts(name, value, value + (BEHIND if prefix else ONLY))
    match name:
        case "sub":
            return _subs(value.lower(), prefix=prefix)
        case "status":
            return _of_words(STATUS, value, prefix=prefix)
        case "cognito:user_status":
            return _of_words(USER_STATUS, value.lower(), prefix=prefix)
        case _:
            raise Invalid(
                f"Invalid search attribute: {name[:64]}",
                field="filter",
                code="filter_attribute",
                parameters={"name": name[:64]},
            )


def _is_storable(text: str) -> bool:
    """Say whether PostgreSQL knows such a text: without NUL, and without half a character."""
    return schema.UNSTORABLE.search(text) is None


def _subs(value: str, *, prefix: bool) -> Condition:
    if len(value) > len(HEAD) or not is_uuid(value + HEAD[len(value) :]) or not (prefix or len(value) == len(HEAD)):
        return Nobody()
    return Subs(UUID(value + HEAD[len(value) :]), UUID(value + HEAD.replace("0", "f")[len(value) :]))


def _of_words(words: Mapping[str, Condition], value: str, *, prefix: bool) -> Condition:
    """Return the condition of the word that is meant: no two begin alike."""
    if prefix and not value:
        return Everyone()
    fitting = [each for word, each in words.items() if (word.startswith(value) if prefix else word == value)]
    return fitting[0] if fitting else Nobody()
