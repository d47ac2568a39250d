"""What a grant carries from the request that asked for it to each token it gives: one value, kept as one column.

A new member is declared here, set where its request is checked, and read where claims are made. Authorization codes,
refresh families and all that lies between carry it unread, also through processes that do not know it yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Bound:
    """What a grant is bound to. Each member is empty where nothing was asked, and JSON can hold it."""

    scopes: tuple[str, ...] = ()
    oauth: bool = False
    """By an OAuth grant: tokens carry ``version`` 2, and claims by scope."""
    nonce: str = ""
    """Of the authorization request, for its own ID token alone."""

    def document(self) -> dict[str, Any]:
        """Return it as its column holds it: without what is empty."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


@lru_cache(maxsize=256)
def read(column: str) -> Bound:
    """Return what a column holds, as text; a member that a later release wrote there is left alone."""
    known = Bound.__dataclass_fields__
    members: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(column).items()
        if name in known
    }
    return Bound(**members)
