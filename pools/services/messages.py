"""Mail and SMS: a sealed row in the transaction of its cause, delivered later under a lease.

PostgreSQL is the queue and Celery's message a hint (DECISIONS.md 6). What a message says is ``message_texts``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from prometheus_client import Counter

from identity.foundation import clock, later, sealing
from identity.foundation.errors import Misuse, TooManyAttempts
from identity.foundation.names import uuid7, uuid7_floor
from pools.models import AppClient, CapturedMessage, OutboxMessage, UserPool
from pools.models.locks import hold
from pools.services import access, app_clients, audit, codes, message_texts, places, receipts
from pools.services.audit import Actor, Tag
from pools.services.receipts import Receipt

log = structlog.get_logger(__name__)
QUEUED = Counter(
    "cognate_messages_queued_total",
    "Messages put into the outbox.",
    ["channel", "purpose"],
)
LIMITED = Counter("cognate_messages_limited_total", "Messages refused by a send limit.", ["limit"])

State = OutboxMessage.State
Lane = OutboxMessage.Lane
EMAIL, SMS = "email", "sms"
MEDIUM = {EMAIL: "EMAIL", SMS: "SMS"}
ATTRIBUTE = {EMAIL: "email", SMS: "phone_number"}
CHANNEL = {"email": EMAIL, "phone_number": SMS}

PER_ADDRESS = 5
"""Messages of one purpose to an address in an hour."""
INVITATION = "invitation"
REMINDER = "reminder"
REMINDERS = 1
"""Reminders to an address in an hour: each says the same."""
NOTICE = "notice"
"""What tells an owner of a change: beside every limit, so that changes do not keep codes back."""
NOTICE_LIFE = timedelta(days=3)
PER_ADDRESS_ALL = 15
"""Messages of all purposes to an address in an hour."""
TAGS = 10
"""``name+tag@`` counts towards a limit of its own on ``name@``: so many times an address's."""
PER_CLIENT = 3000
"""Messages of an app in a minute: Cognito's own quota of fifty sign-ups a second."""
PER_POOL = 6000
"""Messages of a pool in a minute."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a code went, as it may be told: the destination is masked."""

    destination: str
    medium: str
    attribute: str


def can_send(channel: str) -> bool:
    """Say whether this installation reaches that channel: SMS has no gateway in this release, only the mailbox."""
    return channel == EMAIL or settings.MESSAGES == "captured"


def masked(channel: str, to: str) -> str:
    """Return a destination as it may be shown: ``a***@e***`` or ``+*******1234``."""
    if channel == SMS:
        return "+" + "*" * max(0, len(to) - 5) + to[-4:]
    local, _, host = to.lower().partition("@")
    return f"{local[:1]}***@{host[:1]}***"


def delivery(channel: str, to: str) -> Delivery:
    """Return what may be told about a message to an address."""
    return Delivery(masked(channel, to), MEDIUM[channel], ATTRIBUTE[channel])


def simulated(name: str, subject_id: UUID, channels: Sequence[str]) -> Delivery:
    """Return what is told about a message that nobody gets, of a pool that writes by these channels, best first.

    The typed address masked, where it is one and the pool would write to it; else letters or digits of the decoy's.
    """
    typed = EMAIL if "@" in name else SMS if name.startswith("+") else ""
    channel = typed if typed in channels else next(iter(channels), EMAIL)
    if channel == typed:
        return delivery(channel, name)
    if channel == SMS:
        return delivery(SMS, f"+{subject_id.int % 10_000:011d}")
    return delivery(EMAIL, "@".join(chr(ord("a") + byte % 26) for byte in subject_id.bytes[-2:]))


def allowed(pool: UserPool, client: AppClient | None, to: str, purpose: str) -> bool:
    """Say whether an address, an app and a pool may be sent another message. Inside the sending transaction."""
    return refusal(pool, client, to, purpose) is None


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
    address, whole = _recipients(pool, to), _recipients(pool, untagged(mailbox))
    hold(whole[-1])
    sent = (
        OutboxMessage.objects.filter(pool_id=pool.pk, created_at__gt=now - HOUR, id__gte=_floor(now - HOUR - MINUTE))
        .exclude(purpose=NOTICE)
        .order_by("-created_at")
    )
    of_address = sent.filter(recipient_hash__in=address).values_list("purpose", "created_at")
    found = list(of_address[: PER_ADDRESS_ALL + REMINDERS])
    if settings.MESSAGES == "captured":
        return _Lately(found, ())  # nobody's mailbox is filled, and tests and demos make people by the dozen
    of_mailbox = sent.filter(mailbox_hash__in=whole).values_list("purpose", "created_at")
    return _Lately(found, list(of_mailbox[: (PER_ADDRESS_ALL + REMINDERS) * TAGS]))


def _limit(pool: UserPool, client: AppClient | None, purpose: str, lately: _Lately) -> tuple[str, int]:
    """Return the limit that is reached, empty where none is, and the seconds until there is room again."""
    now = clock.now()
    minute = OutboxMessage.objects.filter(
        pool_id=pool.pk,
        created_at__gt=now - MINUTE,
        id__gte=_floor(now - MINUTE - MINUTE),
    )
    if wait := _full(lately.address, purpose, 1):
        return "address", wait
    if wait := _full(lately.mailbox, purpose, TAGS):
        return "mailbox", wait
    if client is not None and minute.filter(client_id=client.id)[:PER_CLIENT].count() >= PER_CLIENT:
        return "client", round(MINUTE.total_seconds())
    if minute[:PER_POOL].count() >= PER_POOL:
        return "pool", round(MINUTE.total_seconds())
    return "", 0


def _full(sent: Sequence[tuple[str, datetime]], purpose: str, times: int) -> int:
    """Return the seconds until one more of a purpose may follow what was sent, newest first; 0 where it may now."""
    # Reminders stand beside the rest: only an owner's address gets one, and it would reach the total first.
    beside = [at for kind, at in sent if (kind == REMINDER) == (purpose == REMINDER)]
    alike = [at for kind, at in sent if kind == purpose]
    limits = [(alike, REMINDERS)] if purpose == REMINDER else [(alike, PER_ADDRESS), (beside, PER_ADDRESS_ALL)]
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


def code_letter(  # noqa: PLR0913 - a message has these parts
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
) -> OutboxMessage:
    """Compose and seal a message with a code, before the transaction that issues the code and queues the message.

    ``by_link`` sends a link in its place, unless the pool has no app with pages to which it could lead.
    For ``nobody`` (a decoy) the same is composed and written, but the row is born sent.
    """
    if pool.username_attributes:
        username = to  # people know themselves by their address there, and never saw the name that we gave them
    link = ""
    if by_link and client is not None and channel == EMAIL and (app := app_clients.of_links(client)) is not None:
        link = message_texts.confirmation_link(pool, app, username, code)
    app_name = app_clients.name_for_people(pool, client)
    composed = (
        message_texts.mail(pool, purpose, secret=code, username=username, link=link, app=app_name)
        if channel == EMAIL
        else message_texts.sms(pool, purpose, secret=code, username=username)
    )
    expires_at = clock.now() + codes.life(purpose)
    return _letter(
        pool,
        client,
        purpose,
        channel,
        to,
        composed,
        expires_at=expires_at,
        lane=Lane.NOW,
        nobody=nobody,
    )


def send_code(  # noqa: PLR0913 - a message has these parts
    client: AppClient,
    subject: access.Subject,
    purpose: str,
    *,
    name: str,
    route: tuple[str, str] | None,
    by_link: bool = False,
    receipt: Receipt | None = None,
    by: Actor,
) -> None:
    """Send somebody a code by channel and address, each time they ask for one by a name.

    Without a route the same is done for nobody, and nothing goes.

    Raises:
        TooManyAttempts: a send limit is reached; nothing was sent.

        AlreadyAccepted: the same form was faster.

    """
    pool, nobody = client.pool, route is None
    channel, to = route or (EMAIL, f"nobody:{subject.id}")
    # Who has an account does not change what a name's mailbox counts: else a full one would tell.
    mailbox = name if nobody and "@" in name else to
    code = codes.new()
    letter = code_letter(
        pool,
        client,
        purpose=purpose,
        code=code,
        to=to,
        channel=channel,
        username=subject.username,
        by_link=by_link,
        nobody=nobody,
    )
    letter.mailbox_hash = _recipients(pool, untagged(mailbox))[0]
    with transaction.atomic(durable=True):
        refused = refusal(pool, client, to, purpose, mailbox=mailbox) or receipts.keep(receipt)
        if refused is None:
            codes.issue(pool, subject.id, purpose, "" if nobody else to, code)
            queue(letter)
            outcome = "refused" if nobody else "done"
            detail = {"purpose": str(purpose), "client_id": client.client_id}
            audit.record(Tag.CODE_SENT, pool=pool, subject=subject.sub, by=by, outcome=outcome, detail=detail)
    if refused is not None:
        raise refused


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
    if channel == EMAIL:
        app = app_clients.name_for_people(pool, None)
        composed = message_texts.mail(pool, INVITATION, secret=password, username=username, app=app)
    else:
        composed = message_texts.sms(pool, INVITATION, secret=password, username=username)
    return _letter(
        pool,
        None,
        INVITATION,
        channel,
        to,
        composed,
        expires_at=expires_at,
        lane=Lane.BULK,
    )


def reminder(pool: UserPool, client: AppClient, *, to: str, nobody: bool = False) -> OutboxMessage:
    """Compose and seal "you have an account already". For ``nobody`` as :func:`code_letter` does."""
    return _letter(
        pool,
        client,
        REMINDER,
        EMAIL,
        to,
        message_texts.reminder(pool, client),
        expires_at=clock.now() + HOUR,
        lane=Lane.NOW,
        nobody=nobody,
    )


def notice(pool: UserPool, *, to: str, composed: message_texts.Composed, in_bulk: bool) -> OutboxMessage:
    """Seal what tells an owner of a change, before the transaction of the change."""
    lane, expires_at = Lane.BULK if in_bulk else Lane.NOW, clock.now() + NOTICE_LIFE
    return _letter(pool, None, NOTICE, EMAIL, to, composed, expires_at=expires_at, lane=lane)


def _letter(  # noqa: PLR0913 - a message has these parts
    pool: UserPool,
    client: AppClient | None,
    purpose: str,
    channel: str,
    to: str,
    composed: message_texts.Composed,
    *,
    expires_at: datetime,
    lane: str,
    nobody: bool = False,
) -> OutboxMessage:
    outbox_id = uuid7()
    carried = {
        "to": to,
        "subject": composed.subject,
        "text": composed.text,
        "html": composed.html,
        **({"reply_to": reply_to} if (reply_to := _reply_to(pool)) else {}),
    }
    sealed = sealing.seal(json.dumps(carried).encode(), place=places.message(outbox_id))
    return OutboxMessage(
        id=outbox_id,
        pool_id=pool.pk,
        client_id=client.id if client else None,
        lane=lane,
        channel=channel,
        purpose=purpose,
        recipient_hash=_recipients(pool, to)[0],
        mailbox_hash=_recipients(pool, untagged(to))[0],
        sealed=None if nobody else sealed,
        state=State.SENT if nobody else State.PENDING,
        expires_at=expires_at,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        created_at=clock.now(),
    )


def queue(letter: OutboxMessage) -> UUID:
    """Put a message into the outbox, in the transaction of its cause; return its id."""
    if not connection.in_atomic_block:
        raise Misuse("a message is written in the transaction of its cause")
    letter.save(force_insert=True)
    QUEUED.labels(letter.channel, letter.purpose).inc()
    later.after_commit(later.Task.DELIVER, str(letter.id), queue=letter.lane)
    return letter.id


def _reply_to(pool: UserPool) -> str:
    return str((pool.configuration.get("email_configuration") or {}).get("reply_to_email_address") or "")


def _recipients(pool: UserPool, to: str) -> list[bytes]:
    """Return an address's hashes by each key, the newest first."""
    return sealing.keyed_hashes("recipient", f"{pool.pk}:{to.strip().lower()}")


def untagged(address: str) -> str:
    """Return an address without its ``+tag`` (RFC 5233), which most mail servers deliver alike; others as they are.

    Dots are left: to most servers they are letters like any other.
    """
    local, at, host = address.rpartition("@")
    return f"{local.split('+')[0] or local}{at}{host}"


def _floor(moment: datetime) -> UUID:
    """Return the least row id of a moment, so that older partitions are not even opened."""
    return uuid7_floor(int(moment.timestamp() * 1000))


def captured(to: str | None = None, limit: int = 100) -> list[CapturedMessage]:
    """Return messages that stayed in the house, newest first, of one address or all."""
    found = CapturedMessage.objects.order_by("-id")
    return list((found.filter(to=to) if to is not None else found)[:limit])
