# breaks: misc
"""Looks for what no column says: only mypy with Django's stubs knows."""

from pools.models import UserPool


def lost() -> bool:
    """Ask."""
    return UserPool.objects.filter(no_such_column=1).exists()
