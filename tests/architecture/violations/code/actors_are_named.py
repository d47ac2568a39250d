# pretend: pools/services/anonymous.py
"""A write whose actor may be mistaken for something else."""

from identity.foundation.actor import Actor


def disable(user: object, by: Actor) -> None:
    """Disable a user."""
    del user, by
