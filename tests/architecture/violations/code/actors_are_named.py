# pretend: pools/services/anonymous.py
"""A write whose actor may be mistaken for something else."""


def disable(user: object, by: object) -> None:
    """Disable a user."""
    del user, by
