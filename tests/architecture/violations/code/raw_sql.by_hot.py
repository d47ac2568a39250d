# pretend: pools/services/clever.py
"""Has a statement of its own run by what runs those of hot."""

from pools.models import hot


def forget(user_id: object) -> None:
    """Forget a user."""
    hot.execute("DELETE FROM pool_user WHERE id = %s", (user_id,))
