"""Reads what others claim: each kind of value, and nothing where it is none."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TypeGuard

LONGEST = 255
"""Characters of a subject (OpenID Connect Core 2), and of any other word."""
MOST_WORDS = 20


def is_subject(value: object) -> TypeGuard[str]:
    """Say whether a value can name somebody for good."""
    return bool(word(value))


def word(value: object) -> str:
    """Return a word; empty for what is none."""
    return value if isinstance(value, str) and len(value) <= LONGEST and value.isprintable() else ""


def words(value: object) -> tuple[str, ...]:
    """Return a list's words."""
    return tuple(filter(None, map(word, value[:MOST_WORDS]))) if isinstance(value, list) else ()


def seconds(value: object) -> float | None:
    """Return seconds since 1970 (RFC 7519 2); None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def moment(value: object) -> datetime | None:
    """Return a moment; None for what is none."""
    found = seconds(value)
    try:
        return None if found is None else datetime.fromtimestamp(found, UTC)
    except (OverflowError, OSError, ValueError):
        return None
