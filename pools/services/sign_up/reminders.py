"""Tells the owner of an account, by mail, that somebody signs up with their address: most likely they forgot.

Whoever signs up is told nothing of it here.
"""

from __future__ import annotations

from dataclasses import dataclass

from pools.models import AppClient, OutboxMessage, User, UserPool
from pools.services import access
from pools.services.messages import compose, destinations, outbox, send_limits


@dataclass(frozen=True)
class Reminder:
    """A mail that is composed, and where it goes."""

    to: str
    letter: OutboxMessage


def to_owner(client: AppClient, user: User, address: str) -> Reminder | None:
    """Compose a reminder to somebody whose verified address this is; to nobody else.

    It goes to the address as they have it, never as it was typed.
    """
    return _reminder(client, str(user.email)) if _owns(client.pool, user, address) else None


def to_whoever(client: AppClient, address: str) -> Reminder:
    """Compose a reminder to the owner of an address; where nobody is, do as much."""
    subject = access.user_or_decoy(client, address)
    if subject.user is not None and _owns(client.pool, subject.user, address):
        return _reminder(client, str(subject.user.email))
    return _reminder(client, f"nobody:{subject.id}", nobody=True)


def send(client: AppClient, reminder: Reminder) -> str:
    """Queue a reminder, at most one an hour to an address; return the medium, empty where nothing goes.

    Inside the transaction of what calls for it.
    """
    if not send_limits.allowed(client.pool, client, reminder.to, send_limits.REMINDER):
        return ""
    outbox.queue(reminder.letter)
    return destinations.MEDIUM[destinations.EMAIL]


def _reminder(client: AppClient, to: str, *, nobody: bool = False) -> Reminder:
    return Reminder(to, compose.reminder(client.pool, client, to=to, nobody=nobody))


def _owns(pool: UserPool, user: User, address: str) -> bool:
    own = user.email or ""
    is_same = access.normalise(pool, own) == access.normalise(pool, address)
    return bool(own and user.email_verified) and is_same and user.enabled
