# pretend: pools/services/clever.py
"""Has a statement of its own run by what runs those of hot."""

from pools.models import hot


def find(name: str) -> object:
    """Find a user."""
    return hot.one("SELECT id FROM pool_user WHERE username = %s", (name,))
