"""Tells the owner of an account, by mail, that its password or a factor was changed, whoever changed it.

To a verified address only: another may have somebody else behind it. No send limit holds a notice back, and none
counts it. What it says is ``texts``.
"""

from __future__ import annotations

from identity.foundation.actor import Actor
from pools.models import OutboxMessage, User, UserPool
from pools.models.hot import Person
from pools.services.messages import compose, outbox, texts
from pools.services.messages.texts import Change
from pools.services.pools import app_clients

__all__ = ["Change", "prepare", "send"]


def prepare(pool: UserPool, user: User | Person, change: Change, *, by: Actor) -> OutboxMessage | None:
    """Compose a notice, before the transaction of the change; None where the account has no verified address.

    Of what the wire API changes there is one where the pool's setting asks for it: Amazon sends none.
    """
    if not (user.email and user.email_verified) or (by.is_api and not pool.notices_of_api_changes):
        return None
    apps = app_clients.oldest_two_with_pages(pool)
    pages = apps[0].client_id if apps else ""
    composed = texts.notice(pool, change, client_id=pages, app=app_clients.shared_name(apps))
    return compose.notice(pool, to=user.email, composed=composed, in_bulk=change in texts.BY_OPERATOR)


def send(notice: OutboxMessage | None) -> None:
    """Queue a notice, in the transaction of the change."""
    if notice is not None:
        outbox.queue(notice)
