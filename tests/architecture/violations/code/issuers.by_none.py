# pretend: pools/services/sign_in/machine.py
"""A file that may issue, and no longer does."""


def complete() -> None:
    """Do nothing."""
