"""Tells the owner of an account, by mail, that somebody signs up with their address: most likely they forgot.

Whoever signs up is told nothing of it here.
"""

from __future__ import annotations

from pools.models import AppClient, User, UserPool
from pools.services import access
from pools.services.messages import compose, destinations, sending
from pools.services.messages.sending import Outgoing


def to_owner(client: AppClient, user: User, address: str) -> Outgoing | None:
    """Compose a reminder to somebody whose verified address this is; to nobody else.

    It goes to the address as they have it, never as it was typed.
    """
    return _reminder(client, str(user.email)) if _owns(client.pool, user, address) else None


def to_whoever(client: AppClient, address: str) -> Outgoing:
    """Compose a reminder to the owner of an address; where nobody is, do as much."""
    subject = access.user_or_decoy(client, address)
    if subject.user is not None and _owns(client.pool, subject.user, address):
        return _reminder(client, str(subject.user.email))
    return _reminder(client, f"nobody:{subject.id}", nobody=True)


def send(client: AppClient, reminder: Outgoing) -> str:
    """Queue a reminder, at most one an hour to an address; return the medium, empty where nothing goes.

    Inside the transaction of what calls for it.
    """
    if sending.refusal(client.pool, client, reminder) is not None:
        return ""
    return destinations.MEDIUM[sending.send(client.pool, reminder)]


def _reminder(client: AppClient, to: str, *, nobody: bool = False) -> Outgoing:
    return Outgoing(compose.reminder(client.pool, client, to=to, nobody=nobody), to)


def _owns(pool: UserPool, user: User, address: str) -> bool:
    own = user.email or ""
    is_same = access.normalise(pool, own) == access.normalise(pool, address)
    return bool(own and user.email_verified) and is_same and user.enabled
