# pretend: pools/services/cleverer.py
"""Takes what runs any statement."""

from pools.models.statements import one


def find(name: str) -> object:
    """Find a user."""
    return one(name, ())
