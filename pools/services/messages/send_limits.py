"""How many messages an address, an app and a pool may be sent: counted from the outbox, where they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import connection
from prometheus_client import Counter

from identity.foundation import clock
from identity.foundation.errors import Misuse, TooManyAttempts
from identity.foundation.names import uuid7_floor
from pools.models import AppClient, UserPool, message_rows
from pools.models.locks import hold
from pools.services import codes
from pools.services.messages import destinations, outbox

log = structlog.get_logger(__name__)
LIMITED = Counter("cognate_messages_limited_total", "Messages refused by a send limit.", ["limit"])
NOTICE = "notice"
"""What tells an owner of a change: beside every limit, so that changes do not keep codes back."""
REMINDER = "reminder"
REMINDERS = 1
"""Reminders to an address in an hour: each says the same."""
PER_ADDRESS = 5
"""Messages of one purpose to an address in an hour."""
PER_ADDRESS_ALL = 15
"""Messages of all purposes to an address in an hour, those of a second factor apart."""
SIGN_INS = 20
"""Codes of a second factor to an address in an hour: a password comes before each, and people sign in more often than
they forget one. With five tries each, at most a hundred guesses an hour among a million."""
TAGS = 10
"""``name+tag@`` counts towards a limit of its own on ``name@``: so many times an address's."""
APART = {REMINDER: REMINDERS, codes.Purpose.SECOND_FACTOR: SIGN_INS}
"""Purposes with a limit of their own, that count towards no other."""
PER_CLIENT = 3000
"""Messages of an app in a minute: Cognito's own quota of fifty sign-ups a second."""
PER_POOL = 6000
"""Messages of a pool in a minute."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def refusal(
    pool: UserPool, client: AppClient | None, to: str, purpose: str, *, mailbox: str = ""
) -> TooManyAttempts | None:
    """Return why an address, an app or a pool may not be sent another message now, and until when.

    Inside the sending transaction. ``mailbox`` is what a message to nobody counts towards, where not its address.
    """
    lately = _lately(pool, to, mailbox or to)
    limit, wait = _limit(pool, client, purpose, lately)
    if not limit:
        return None
    LIMITED.labels(limit).inc()
    log.warning("message_limited", limit=limit, pool=pool.public_id, purpose=purpose)
    return TooManyAttempts(wait=wait)


@dataclass(frozen=True, slots=True)
class _Lately:
    """Purpose and time of what went to an address within the hour, and to all of its mailbox's; newest first."""

    address: Sequence[tuple[str, datetime]]
    mailbox: Sequence[tuple[str, datetime]]


def _lately(pool: UserPool, to: str, mailbox: str) -> _Lately:
    """Return what went out within the hour.

    Counted from the outbox under the mailbox's lock, so that it holds without Redis and between parallel calls.
    """
    if not connection.in_atomic_block:
        raise Misuse("send limits are counted in the transaction that sends")
    now = clock.now()
    address, whole = outbox.recipients(pool, to), outbox.recipients(pool, destinations.untagged(mailbox))
    hold(whole[-1])
    sent = partial(message_rows.sent_to, pool.pk, since=now - HOUR, floor=_floor(now - HOUR - MINUTE), but=NOTICE)
    found = sent(address, most=PER_ADDRESS_ALL + sum(APART.values()))
    if destinations.carrier(destinations.EMAIL) == destinations.CAPTURED:
        return _Lately(found, ())  # nobody's mailbox is filled, and tests and demos make people by the dozen
    return _Lately(found, sent(whole, most=(PER_ADDRESS_ALL + sum(APART.values())) * TAGS, mailbox=True))


def _limit(pool: UserPool, client: AppClient | None, purpose: str, lately: _Lately) -> tuple[str, int]:
    """Return the limit that is reached, empty where none is, and the seconds until there is room again."""
    now = clock.now()
    within_a_minute = partial(message_rows.sent_of, pool.pk, since=now - MINUTE, floor=_floor(now - MINUTE - MINUTE))
    if wait := _full(lately.address, purpose, 1):
        return "address", wait
    if wait := _full(lately.mailbox, purpose, TAGS):
        return "mailbox", wait
    if client is not None and within_a_minute(client.id, most=PER_CLIENT) >= PER_CLIENT:
        return "client", round(MINUTE.total_seconds())
    if within_a_minute(None, most=PER_POOL) >= PER_POOL:
        return "pool", round(MINUTE.total_seconds())
    return "", 0


def _full(sent: Sequence[tuple[str, datetime]], purpose: str, times: int) -> int:
    """Return the seconds until one more of a purpose may follow what was sent, newest first; 0 where it may now."""
    # Reminders stand beside the rest: only an owner's address gets one, and it would reach the total first. So do codes
    # of a second factor, which come after a password.
    beside = [at for kind, at in sent if kind not in APART]
    alike = [at for kind, at in sent if kind == purpose]
    limits = [(alike, APART[purpose])] if purpose in APART else [(alike, PER_ADDRESS), (beside, PER_ADDRESS_ALL)]
    reached = [moments[limit * times - 1] for moments, limit in limits if len(moments) >= limit * times]
    return max((math.ceil((moment + HOUR - clock.now()).total_seconds()) for moment in reached), default=0)


def next_code_at(asked: Sequence[int]) -> int:
    """Return when one more code would be sent, by when the others of the hour were, oldest first, in epoch seconds.

    What a page may tell: by what its browser asked for, and not by what was sent, which tells who has an account.
    """
    hour = round(HOUR.total_seconds())
    moments = []
    for old in range(max(0, len(asked) - PER_ADDRESS + 1), len(asked)):  # so many no longer count
        forgotten = asked[old - 1] + hour if old else 0
        cooled = asked[-1] + round(codes.cool_down(len(asked) - old).total_seconds())
        moments.append(max(forgotten, cooled))
    return min(moments, default=0)


def _floor(moment: datetime) -> UUID:
    """Return the least row id of a moment, so that older partitions are not even opened."""
    return uuid7_floor(int(moment.timestamp() * 1000))
