# pretend: pools/services/careless.py
"""Writes back columns that it only read."""

from pools.models import User


def rename(user: User, name: str) -> None:
    """Give a user another name."""
    user.name = name
    user.save()
