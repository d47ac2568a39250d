"""Messages of each kind, composed and sealed before the transaction that queues them. Words are ``texts``'."""

from __future__ import annotations

from datetime import datetime, timedelta

from identity.foundation import clock
from pools.models import AppClient, OutboxMessage, UserPool
from pools.services import codes
from pools.services.messages import destinations, outbox, send_limits, texts
from pools.services.pools import app_clients

INVITATION = "invitation"
NOTICE_LIFE = timedelta(days=3)


def code(  # noqa: PLR0913 - a message has these parts
    pool: UserPool,
    client: AppClient | None,
    *,
    purpose: str,
    code: str,
    to: str,
    channel: str,
    username: str = "",
    by_link: bool = False,
    nobody: bool = False,
    words: str = "",
) -> OutboxMessage:
    """Compose and seal a message with a code, before the transaction that issues the code and queues the message.

    Its words are those of the purpose, unless others are named, for a code that somebody else asked for.
    ``by_link`` sends a link in its place, unless the app takes none of the pool's own people, nor any other app.
    For ``nobody`` (a decoy) the same is composed and written, but the row is born sent.
    """
    if pool.username_attributes:
        username = to  # people know themselves by their address there, and never saw the name that we gave them
    link = ""
    if (
        by_link
        and client is not None
        and channel == destinations.EMAIL
        and (app := app_clients.client_for_links(client)) is not None
    ):
        link = texts.confirmation_link(pool, app, username, code)
    app_name = app_clients.name_for_people(pool, client)
    composed = (
        texts.mail(pool, words or purpose, secret=code, username=username, link=link, app=app_name)
        if channel == destinations.EMAIL
        else texts.sms(pool, words or purpose, secret=code, username=username)
    )
    expires_at = clock.now() + codes.life(purpose)
    return outbox.seal(
        pool,
        client,
        purpose,
        channel,
        to,
        composed,
        expires_at=expires_at,
        lane=outbox.Lane.NOW,
        nobody=nobody,
    )


def invitation(
    pool: UserPool,
    *,
    to: str,
    channel: str,
    username: str,
    password: str,
    expires_at: datetime,
) -> OutboxMessage:
    """Compose and seal an invitation with a temporary password, before the transaction that sets it."""
    if channel == destinations.EMAIL:
        app = app_clients.name_for_people(pool, None)
        composed = texts.mail(pool, INVITATION, secret=password, username=username, app=app)
    else:
        composed = texts.sms(pool, INVITATION, secret=password, username=username)
    return outbox.seal(
        pool,
        None,
        INVITATION,
        channel,
        to,
        composed,
        expires_at=expires_at,
        lane=outbox.Lane.BULK,
    )


def reminder(pool: UserPool, client: AppClient, *, to: str, nobody: bool = False) -> OutboxMessage:
    """Compose and seal "you have an account already". For ``nobody`` as :func:`code` does."""
    return outbox.seal(
        pool,
        client,
        send_limits.REMINDER,
        destinations.EMAIL,
        to,
        texts.reminder(pool, client),
        expires_at=clock.now() + send_limits.HOUR,
        lane=outbox.Lane.NOW,
        nobody=nobody,
    )


def notice(pool: UserPool, *, to: str, composed: texts.Composed, in_bulk: bool) -> OutboxMessage:
    """Seal what tells an owner of a change, before the transaction of the change."""
    lane, expires_at = outbox.Lane.BULK if in_bulk else outbox.Lane.NOW, clock.now() + NOTICE_LIFE
    return outbox.seal(
        pool, None, send_limits.NOTICE, destinations.EMAIL, to, composed, expires_at=expires_at, lane=lane
    )
