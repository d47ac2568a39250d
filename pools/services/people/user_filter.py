"""The filter of ListUsers: parsed, never interpolated. Pure: from text to a range of what orders the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from identity.foundation.errors import Invalid
from identity.foundation.names import is_uuid
from pools.models.user import SEARCHABLE, Status

LENGTH = 256
COLUMNS = frozenset({"username", *SEARCHABLE})
FILTER = re.compile(
    r"""\s*(?P<name>"[^"\\]+"|[\w:.\-]+)\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*""",
    re.DOTALL,
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
GREATEST = chr(0x10FFFF)
BEFORE_SURROGATES, BEHIND_SURROGATES = "\ud7ff", "\ue000"
COLUMN_LENGTH = 2048
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
    """A range of a column, from ``first`` to less than ``below``."""

    column: str
    first: str
    below: str


Condition = Everyone | Nobody | Subs | OfStatus | Enabled | Texts


def parse(text: str | None) -> Condition:
    """Return the condition that a filter says; without a filter, everyone.

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
        return Texts(name, value, _behind(value) if prefix else value + "\x01")  # nothing that can be stored is between
    match name:
        case "sub":
            return _subs(value.lower(), prefix=prefix)
        case "status":
            words: dict[str, Condition] = {"enabled": Enabled(enabled=True), "disabled": Enabled(enabled=False)}
        case "cognito:user_status":
            words = {status.lower(): OfStatus(status) for status in Status.values}
        case _:
            raise Invalid(
                f"Invalid search attribute: {name[:64]}",
                field="filter",
                code="filter_attribute",
                parameters={"name": name[:64]},
            )
    return _of_words(words, value.lower(), prefix=prefix)


def _is_storable(text: str) -> bool:
    """Say whether PostgreSQL knows such a text: without NUL, and without half a character."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _behind(head: str) -> str:
    """Return what is greater than all texts with that head, and no greater than any other that is greater than it."""
    kept = head.rstrip(GREATEST)
    if not kept:
        return GREATEST * (COLUMN_LENGTH + 1)
    last = kept[-1]
    return kept[:-1] + (BEHIND_SURROGATES if last == BEFORE_SURROGATES else chr(ord(last) + 1))


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
