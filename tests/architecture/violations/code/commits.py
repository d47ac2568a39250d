# pretend: tests/contract/test_shortcut.py
"""A test whose fixture's fixture is rolled back, and that waits for a commit."""

from django.db import transaction


def test_a_commit(place: object) -> None:
    """Wait for what never comes."""
    done = []
    transaction.on_commit(lambda: done.append(place))
