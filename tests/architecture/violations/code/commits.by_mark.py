# pretend: tests/services/test_shortcut.py
"""A test whose mark rolls it back, and that opens a block of its own."""

import pytest
from django.db import transaction

pytestmark = pytest.mark.django_db


def test_a_commit() -> None:
    """Open one."""
    with transaction.atomic(durable=True):
        pass
