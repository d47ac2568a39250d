# pretend: pools/services/silent.py
"""A change of password of which its owner never hears."""

from pools.services import audit
from identity.foundation.actor import Actor
from pools.services.audit import Tag


def change(pool: object, user: object, *, by: Actor) -> None:
    """Change a password."""
    audit.record(Tag.PASSWORD_CHANGED, pool=pool, subject=user.sub, by=by)
