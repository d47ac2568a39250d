"""The queue of messages: a sealed row in the transaction of its cause, delivered later under a lease.

PostgreSQL is the queue and Celery's message a hint. What a message says is ``compose``.
"""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection
from prometheus_client import Counter

from identity.foundation import clock, later, sealing
from identity.foundation.errors import Misuse
from identity.foundation.names import uuid7
from identity.foundation.task_names import Task
from pools.models import AppClient, OutboxMessage, UserPool, message_rows
from pools.services import sealing_contexts
from pools.services.messages import destinations, texts

QUEUED = Counter(
    "cognate_messages_queued_total",
    "Messages put into the outbox.",
    ["channel", "purpose"],
)
State = OutboxMessage.State
Lane = OutboxMessage.Lane


def seal(  # noqa: PLR0913 - a message has these parts
    pool: UserPool,
    client: AppClient | None,
    purpose: str,
    channel: str,
    to: str,
    composed: texts.Composed,
    *,
    expires_at: datetime,
    lane: str,
    nobody: bool = False,
) -> OutboxMessage:
    """Seal a composed message, before the transaction that queues it. One for ``nobody`` is born sent, and empty."""
    outbox_id = uuid7()
    carried = {
        "to": to,
        "subject": composed.subject,
        "text": composed.text,
        "html": composed.html,
        "has_sheet": composed.has_sheet,
        **({"reply_to": reply_to} if (reply_to := _reply_to(pool)) else {}),
    }
    sealed = sealing.seal(json.dumps(carried).encode(), place=sealing_contexts.message(outbox_id))
    return OutboxMessage(
        id=outbox_id,
        pool_id=pool.pk,
        client_id=client.id if client else None,
        lane=lane,
        channel=channel,
        purpose=purpose,
        recipient_hash=recipients(pool, to)[0],
        mailbox_hash=recipients(pool, destinations.untagged(to))[0],
        sealed=None if nobody else sealed,
        state=State.SENT if nobody else State.PENDING,
        expires_at=expires_at,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        created_at=clock.now(),
    )


def queue(message: OutboxMessage) -> UUID:
    """Put a message into the outbox, in the transaction of its cause; return its id."""
    if not connection.in_atomic_block:
        raise Misuse("a message is written in the transaction of its cause")
    message_rows.queue(message)
    QUEUED.labels(message.channel, message.purpose).inc()
    later.after_commit(Task.DELIVER, str(message.id), queue=message.lane)
    return message.id


def _reply_to(pool: UserPool) -> str:
    return str((pool.configuration.get("email_configuration") or {}).get("reply_to_email_address") or "")


def recipients(pool: UserPool, to: str) -> list[bytes]:
    """Return an address's hashes by each key, the newest first."""
    return sealing.keyed_hashes("recipient", f"{pool.pk}:{to.strip().lower()}")
