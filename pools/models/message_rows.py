"""Messages queued and counted: constant statements, as in ``hot``. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pools.models.message import OutboxMessage
from pools.models.statements import every, execute, one

QUEUE = """
INSERT INTO outbox (id, pool_id, client_id, lane, channel, purpose, recipient_hash, mailbox_hash, sealed, state,
    attempts, problem, expires_at, request_id, created_at)
VALUES (%(id)s, %(pool_id)s, %(client_id)s::uuid, %(lane)s, %(channel)s, %(purpose)s, %(recipient_hash)s,
    %(mailbox_hash)s, %(sealed)s::bytea, %(state)s, %(attempts)s, %(problem)s, %(expires_at)s::timestamptz,
    %(request_id)s, %(created_at)s)
"""
WRITTEN = (
    *("id", "pool_id", "client_id", "lane", "channel", "purpose", "recipient_hash", "mailbox_hash", "sealed", "state"),
    *("attempts", "problem", "expires_at", "request_id", "created_at"),
)
# ``floor`` is the least id of that moment, so that older partitions are not even opened.
SENT_TO_ADDRESS = """
SELECT purpose, created_at FROM outbox
WHERE pool_id = %(pool)s AND recipient_hash = ANY(%(hashes)s::bytea[]) AND created_at > %(since)s AND id >= %(floor)s
    AND purpose <> %(but)s
ORDER BY created_at DESC LIMIT %(most)s
"""
SENT_TO_MAILBOX = """
SELECT purpose, created_at FROM outbox
WHERE pool_id = %(pool)s AND mailbox_hash = ANY(%(hashes)s::bytea[]) AND created_at > %(since)s AND id >= %(floor)s
    AND purpose <> %(but)s
ORDER BY created_at DESC LIMIT %(most)s
"""
SENT_OF_CLIENT = """
SELECT count(*) FROM (SELECT FROM outbox
    WHERE pool_id = %(pool)s AND client_id = %(client)s AND created_at > %(since)s AND id >= %(floor)s
    LIMIT %(most)s) sent
"""
SENT_OF_POOL = """
SELECT count(*) FROM (SELECT FROM outbox
    WHERE pool_id = %(pool)s AND created_at > %(since)s AND id >= %(floor)s
    LIMIT %(most)s) sent
"""


def queue(message: OutboxMessage) -> None:
    """Write a message that nobody has tried to send yet."""
    execute(QUEUE, {name: getattr(message, name) for name in WRITTEN})


def sent_to(
    pool_id: int, hashes: Sequence[bytes], *, since: datetime, floor: UUID, but: str, most: int, mailbox: bool = False
) -> list[tuple[str, datetime]]:
    """Return purpose and time of what went to an address or a whole mailbox, but of one purpose; newest first."""
    asked = {"pool": pool_id, "hashes": list(hashes), "since": since, "floor": floor, "but": but, "most": most}
    return every(SENT_TO_MAILBOX if mailbox else SENT_TO_ADDRESS, asked)


def sent_of(pool_id: int, client_id: UUID | None, *, since: datetime, floor: UUID, most: int) -> int:
    """Return how many messages a pool, or one of its apps, has sent since a moment, up to ``most``."""
    asked = {"pool": pool_id, "since": since, "floor": floor, "most": most}
    row = one(SENT_OF_POOL, asked) if client_id is None else one(SENT_OF_CLIENT, {**asked, "client": client_id})
    return int(row[0]) if row else 0
