# pretend: pools/services/anonymous.py
"""A write of which nobody will know who asked for it."""

from pools.models import User


def disable(user_id: object) -> None:
    """Disable a user."""
    User.objects.filter(id=user_id).update(enabled=False)
