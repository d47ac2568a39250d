# pretend: pools/services/careless.py
"""Writes back columns that it only read."""

from pools.models import User


def rename(user: User, name: str, *, by: object) -> None:
    """Give a user another name."""
    del by
    user.name = name
    user.save()
