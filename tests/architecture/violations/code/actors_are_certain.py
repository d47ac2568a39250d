# pretend: pools/services/anonymous.py
"""A write that may be nobody's."""

from __future__ import annotations

from identity.foundation.actor import Actor


def disable(user: object, *, by: Actor | None = None) -> None:
    """Disable a user."""
    del user, by
