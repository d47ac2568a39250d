"""Keyset pages and their opaque, signed tokens. Never ``OFFSET``, never ``COUNT(*)``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from identity.foundation import sealing
from identity.foundation.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows and the token of what follows, None at the end."""

    rows: Sequence[T]
    token: str | None


def read(token: str | None, *, purpose: str) -> list[Any] | None:
    """Return the key at which a page starts, None for the first page.

    Raises:
        Invalid: the token is not ours, or of another list. ``purpose`` names list, pool and filter.

    """
    if not token:
        return None
    try:
        key = json.loads(sealing.unseal_text(token, purpose="page:" + purpose))
    except (sealing.Unsealable, ValueError):
        raise Invalid("Invalid pagination token given.", field="token", code="page_token") from None
    return list(key)


def cut(rows: Sequence[T], limit: int, key: Callable[[T], list[Any]], *, purpose: str) -> Page[T]:
    """Return a page of ``limit`` rows out of ``limit + 1`` that were fetched."""
    if len(rows) <= limit:
        return Page(rows, None)
    kept = rows[:limit]
    carried = json.dumps(key(kept[-1]), separators=(",", ":")).encode()
    return Page(kept, sealing.seal_text(carried, purpose="page:" + purpose))
