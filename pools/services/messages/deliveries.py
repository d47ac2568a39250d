"""The other end of the outbox: messages leave under a lease, at least once, captured ones exactly once.

``pending`` → leased → ``handing`` → ``sent`` (DECISIONS.md 6). No transaction is open while a mail server is spoken to.
"""

from __future__ import annotations

import itertools
import json
import smtplib
import uuid
from datetime import timedelta
from email.charset import QP, Charset
from email.utils import parseaddr
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address
from django.db import connection, transaction
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Now
from prometheus_client import Counter, Histogram

from identity.foundation import clock, gate, names, sealing
from identity.foundation.errors import DomainError
from identity.telemetry import Gauge
from pools.models import CapturedMessage, OutboxMessage
from pools.services import sealing_contexts

log = structlog.get_logger(__name__)
FINISHED = Counter("cognate_messages_finished_total", "Messages that left the outbox.", ["channel", "state"])
KEPT = Counter(
    "cognate_messages_kept_total", "Tries that a fault of the installation or of its mail server ended.", ["problem"]
)
DELAY = Histogram("cognate_message_delay_seconds", "From cause to delivery.", buckets=(0.1, 0.3, 1, 3, 10, 60, 600))
State = OutboxMessage.State
Lane = OutboxMessage.Lane
LEASE = timedelta(seconds=60)
BATCH = {Lane.NOW: 200, Lane.BULK: 20}
"""At most, of what people wait for and of all the rest."""
SWEEP_SECONDS = 15.0
ATTEMPTS = 10
PERMANENT = 500
"""SMTP answers from here on are final (RFC 5321 4.2.1)."""
OURSELVES = (
    # What the installation has wrong, or its mail server, whatever the message: the account, a sender.
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
    smtplib.SMTPSenderRefused,
)
OF_THE_ACCOUNT = range(530, 540)
"""SMTP answers about signing in, at whatever command (RFC 4954 6)."""
SEVEN_BIT = Charset("utf-8")
"""Every part quoted-printable and every header an encoded word: no server has to know 8BITMIME or SMTPUTF8."""
SEVEN_BIT.body_encoding = SEVEN_BIT.header_encoding = QP
LONGEST_LINE = 998
"""Bytes of a line of a mail, its end left out (RFC 5322 2.1.1)."""
FIRST_WAIT = 5.0
LONGEST_WAIT = 1800.0
LONGEST_WAIT_FOR_OURSELVES = 300.0


class Undeliverable(DomainError):
    """A message will never be taken; trying again would not help."""


class NotNow(DomainError):
    """The message was not handed over this time."""


class NotOurselves(NotNow):
    """This installation can send nothing now: no message's fault, so no attempt of it. An operator mends it."""


def deliver(outbox_id: uuid.UUID) -> State | None:
    """Deliver one message, unless another does, or it is not due; return where it stands then.

    Safe to call any number of times, by any number of processes: the lease is one conditional statement.
    """
    gate.outside_transactions("Delivering a message")
    lease = uuid.uuid4()
    if not _due().filter(id=outbox_id).update(lease=lease, lease_until=Now() + LEASE, attempts=F("attempts") + 1):
        return None
    row = OutboxMessage.objects.filter(id=outbox_id, lease=lease).first()
    if row is None:
        return None
    with structlog.contextvars.bound_contextvars(**({"request_id": row.request_id} if row.request_id else {})):
        return _hand_over(row)


def _hand_over(row: OutboxMessage) -> State | None:
    """Hand a leased message over, or end its way."""
    if (over := _over(row)) is not None:
        return _finish(row, over, problem=row.problem)
    try:
        content = _content(row)
        if not OutboxMessage.objects.filter(pool_id=row.pool_id, id=row.id, lease=row.lease).update(
            state=State.HANDING
        ):
            return None
        if settings.MESSAGES == "captured":
            return _capture(row, content)
        _send(row, content)
    except Undeliverable as problem:
        return _finish(row, State.FAILED, problem=problem.detail)
    except NotOurselves as problem:
        return _keep(row, problem.detail)
    except NotNow as problem:
        return _postpone(row, problem.detail)
    return _finish(row, State.SENT)


def _content(row: OutboxMessage) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(sealing.unseal(bytes(row.sealed or b""), place=sealing_contexts.message(row.id)))
    except sealing.KeyUnknown as problem:
        # Another process was restarted with a new key and this one was not: the message is as good as ever.
        raise NotOurselves(detail=type(problem).__name__) from None
    except (sealing.Unsealable, ValueError) as problem:
        raise Undeliverable(detail=type(problem).__name__) from None


def _over(row: OutboxMessage) -> State | None:
    """Return how a message ends that is not to go out any more, None for one that is."""
    if row.expires_at is not None and row.expires_at <= clock.now():
        return State.EXPIRED
    if row.state == State.HANDING and row.channel != "email":
        # A worker died between handing over and our commit. A mail goes again under the same Message-ID; a text
        # message may have arrived, and the person can ask for another code.
        return State.DOUBTFUL
    # Whoever had it before died or broke each time: the message is given up, not the workers.
    return State.FAILED if row.attempts > ATTEMPTS else None


def due(*lanes: Lane) -> list[uuid.UUID]:
    """Return what should go out now and nobody is at; rows being leased are passed over.

    What people wait for comes first, then a few of ``bulk``, by which all the rest is meant; the longest due before
    the others of its lane.
    """
    found: list[uuid.UUID] = []
    for lane in lanes or BATCH:
        rows = _due().filter(Q(lane=Lane.NOW) if lane == Lane.NOW else ~Q(lane=Lane.NOW))
        with transaction.atomic():
            locked = rows.select_for_update(skip_locked=True).order_by("due_at")
            found += locked.values_list("id", flat=True)[: BATCH[lane]]
    return found


def sweep() -> int:
    """Deliver what is due, whatever became of its hint, for a while; return how many left."""
    began = clock.monotonic()
    in_time = itertools.takewhile(lambda _: clock.monotonic() - began < SWEEP_SECONDS, due())
    return sum(deliver(outbox_id) is not None for outbox_id in in_time)


def gauges() -> list[Gauge]:
    """Return how the outbox stands: whoever delivers is another process, perhaps none."""
    now = clock.now()
    waiting = OutboxMessage.objects.filter(state__in=[State.PENDING, State.HANDING], due_at__lte=now)
    due = waiting.aggregate(count=Count("id"), since=Min("due_at"))
    # By the primary key, which has the time in it.
    day = names.uuid7_floor(int((now - timedelta(days=1)).timestamp() * 1000))
    failed = OutboxMessage.objects.filter(id__gte=day, state=State.FAILED).count()
    age = (now - due["since"]).total_seconds() if due["since"] else 0.0
    return [
        Gauge("cognate_outbox_due", "Messages that are due and not sent.", due["count"]),
        Gauge("cognate_outbox_oldest_due_seconds", "How long the oldest of them has been due.", age),
        Gauge("cognate_outbox_kept", "Messages that a fault of the installation holds up.", _kept().count()),
        Gauge("cognate_outbox_failed_of_a_day", "Messages of the last 24 hours that were given up.", failed),
    ]


def warning() -> str:
    """Say what an operator should mend, of a health check that goes on saying yes; nothing where all is well."""
    return "messages wait for the mail server: see the log" if _kept().exists() else ""


def _kept() -> Any:  # noqa: ANN401 - the stubs' private kind
    """Return what was put back uncounted."""
    return OutboxMessage.objects.filter(state=State.PENDING, attempts=0).exclude(problem="")


def _due() -> Any:  # noqa: ANN401 - the stubs' private kind
    return OutboxMessage.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=Now()),
        state__in=[State.PENDING, State.HANDING],
        due_at__lte=Now(),
    )


def _capture(row: OutboxMessage, content: dict[str, str]) -> State | None:
    with transaction.atomic(durable=True):
        CapturedMessage.objects.bulk_create(
            [
                CapturedMessage(
                    id=row.id,
                    pool_id=row.pool_id,
                    channel=row.channel,
                    to=content["to"],
                    subject=content["subject"],
                    body=content["text"],
                    html=content["html"],
                    created_at=row.created_at,
                )
            ],
            ignore_conflicts=True,
        )
        return _finish(row, State.SENT)


def _send(row: OutboxMessage, content: dict[str, str]) -> None:
    if row.channel != "email":
        raise Undeliverable(detail="no gateway for text messages")
    sender = _sender()
    try:
        mail = _mail(row, content, sender)
    except ValueError as problem:
        # An address or a header that no mail can have. Its text quotes the address: only its kind is told.
        raise Undeliverable(detail=type(problem).__name__) from None
    server = get_connection()
    try:
        _greet(server)
        _hand_to(server, mail)
    finally:
        _part_from(server)


def _greet(server: Any) -> None:  # noqa: ANN401 - a mail backend of Django's
    """Connect and sign in. Whatever is wrong by then, no letter was shown: ValueError is a name that no host has."""
    try:
        server.open()
    except (OSError, ValueError) as problem:
        raise NotOurselves(detail=_said(problem)) from None


def _hand_to(server: Any, mail: EmailMultiAlternatives) -> None:  # noqa: ANN401 - a mail backend of Django's
    """Send over an open connection."""
    try:
        server.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as problem:
        raise _refusal(problem, max((code for code, _ in problem.recipients.values()), default=0)) from None
    except OURSELVES as problem:
        raise NotOurselves(detail=_said(problem)) from None
    except smtplib.SMTPResponseException as problem:
        raise _refusal(problem, problem.smtp_code) from None
    except OSError as problem:
        raise NotNow(detail=type(problem).__name__) from None
    except ValueError as problem:
        raise Undeliverable(detail=type(problem).__name__) from None


def _part_from(server: Any) -> None:  # noqa: ANN401 - a mail backend of Django's
    """Close the connection. A server that is gone by now changes nothing: it has said what became of the message."""
    try:
        server.close()
    except OSError as problem:
        log.debug("mail_server_gone", problem=type(problem).__name__)


def _said(problem: Exception) -> str:
    """Return what went wrong, in words that quote nothing."""
    return f"{type(problem).__name__} {getattr(problem, 'smtp_code', '')}".strip()


def _sender() -> str:
    """Return who mail comes from, if mail can: else every message would look undeliverable."""
    try:
        return _address(settings.DEFAULT_FROM_EMAIL)
    except ValueError:
        raise NotOurselves(detail="MAIL_FROM is no address") from None


def _address(text: str) -> str:
    """Return an address in ASCII. Raises ValueError for one that mail cannot have without SMTPUTF8, or not at all."""
    if not parseaddr(text)[1].rpartition("@")[0].isascii():
        raise ValueError("a mailbox in other letters than ASCII")
    return sanitize_address(text, SEVEN_BIT)  # type: ignore[arg-type]  # the stubs know no Charset


def _mail(row: OutboxMessage, content: dict[str, str], sender: str) -> EmailMultiAlternatives:
    """Return a message as a mail of 7 bits. Raises ValueError where none can have its address or a header."""
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=content["subject"],
        body=content["text"],
        from_email=sender,
        to=[_address(content["to"])],
        reply_to=[_address(content["reply_to"])] if content.get("reply_to") else None,
        headers={
            "Message-ID": f"<{row.id}@{host}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.encoding = SEVEN_BIT
    mail.attach_alternative(content["html"], "text/html")
    if any(len(line) > LONGEST_LINE for line in mail.message().as_bytes().splitlines()):
        raise ValueError("a header that cannot be folded")
    return mail


def _refusal(problem: Exception, code: int) -> DomainError:
    said = f"{type(problem).__name__} {code}"
    if code in OF_THE_ACCOUNT:
        return NotOurselves(detail=said)
    return Undeliverable(detail=said) if code >= PERMANENT else NotNow(detail=said)


def _finish(row: OutboxMessage, state: State, *, problem: str = "") -> State | None:
    """End a message's way, if the lease is still ours; its content is erased."""
    ended = OutboxMessage.objects.filter(pool_id=row.pool_id, id=row.id, lease=row.lease).update(
        state=state,
        sealed=None,
        lease=None,
        lease_until=None,
        problem=problem,
        sent_at=Now() if state == State.SENT else None,
    )
    if not ended:
        return None
    FINISHED.labels(row.channel, state.value).inc()
    if state == State.SENT:
        DELAY.observe(max(0.0, (clock.now() - row.created_at).total_seconds()))
        log.info("message_sent", id=str(row.id), channel=row.channel, purpose=row.purpose)
    else:
        log.warning("message_not_sent", id=str(row.id), state=state.value, purpose=row.purpose, problem=problem)
    return state


def _postpone(row: OutboxMessage, problem: str) -> State | None:
    if row.attempts >= ATTEMPTS:
        return _finish(row, State.FAILED, problem=problem)
    return _put_back(row, min(LONGEST_WAIT, FIRST_WAIT * 3.0 ** (row.attempts - 1)), row.attempts, problem)


def _keep(row: OutboxMessage, problem: str) -> State | None:
    """Let a message wait as long again as it has, uncounted: until it goes out, or expires."""
    KEPT.labels(problem).inc()
    age = (clock.now() - row.created_at).total_seconds()
    return _put_back(row, min(LONGEST_WAIT_FOR_OURSELVES, max(FIRST_WAIT, age)), row.attempts - 1, problem)


def _put_back(row: OutboxMessage, seconds: float, attempts: int, problem: str) -> State | None:
    put_back = OutboxMessage.objects.filter(pool_id=row.pool_id, id=row.id, lease=row.lease).update(
        state=State.PENDING,
        lease=None,
        lease_until=None,
        attempts=attempts,
        due_at=Now() + timedelta(seconds=seconds),
        problem=problem,
    )
    log.warning("message_postponed", id=str(row.id), attempts=attempts, problem=problem)
    return State.PENDING if put_back else None


def close_connection() -> None:
    """Give this thread's connection back: threads that deliver now and then hold none in between."""
    connection.close()
