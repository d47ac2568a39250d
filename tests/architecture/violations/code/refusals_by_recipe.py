# pretend: pools/services/anonymous.py
"""A refusal that is undone and raised by hand."""

from django.db import transaction

from identity.foundation.actor import Actor
from identity.foundation.errors import UserNotFound


def disable(user_id: object, *, by: Actor) -> None:
    """Disable a user."""
    del by
    with transaction.atomic():
        if user_id == "":
            raise UserNotFound
        refusal = None if user_id else UserNotFound()
        if refusal is not None:
            transaction.set_rollback(True)
    if refusal is not None:
        raise refusal
