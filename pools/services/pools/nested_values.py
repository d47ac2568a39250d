"""Values inside structures, by the way that leads to them: how settings are kept in columns and their JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model


def value_at(row: Model, path: Sequence[str]) -> Any:  # noqa: ANN401 - any setting's value
    """Return what is kept in a column, or inside it; None where nothing is."""
    found = getattr(row, path[0])
    for part in path[1:]:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def set_at(inside: dict[str, Any], path: Sequence[str], value: Any) -> None:  # noqa: ANN401 - any setting's value
    """Keep a value inside a structure; take out what says nothing, and what then is empty."""
    name, *deeper = path
    if deeper:
        set_at(inside.setdefault(name, {}), deeper, value)
        value = inside[name]
    if value in (None, {}, []):
        inside.pop(name, None)
    else:
        inside[name] = value
