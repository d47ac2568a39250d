"""The other end of the outbox: messages leave under a lease, at least once, captured ones exactly once.

``pending`` → leased → ``handing`` → ``sent``. No transaction is open while a channel sends. How one
sends is ``federation.channels``'; here are leases, states and retries.
"""

from __future__ import annotations

import itertools
import json
import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Now
from prometheus_client import Counter, Histogram

from identity.foundation import clock, gate, names, sealing
from identity.foundation.actor import Actor
from identity.telemetry import Gauge
from pools import ports
from pools.models import OutboxMessage, UserPool
from pools.services import audit, sealing_contexts
from pools.services.audit import Tag
from pools.services.messages import destinations, routes

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
FIRST_WAIT = 5.0
LONGEST_WAIT = 1800.0
LONGEST_WAIT_FOR_OURSELVES = 300.0
NO_GATEWAY = "nothing here sends text messages: see SMS_CHANNEL, or the pool's SmsConfiguration"
LONGEST_GATEWAY_ID = 200
WAITING = {
    destinations.EMAIL: "messages wait for the mail server: see the log",
    destinations.SMS: "text messages wait for their gateway: see the log",
}
SHOWN = 5
"""Reasons that operators are shown of a pool."""


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
        pool = _pool_of(row)
        route = routes.of(pool, row.channel)
        message, channel = _message(row, pool, route.sender), _channel(route)
        if not OutboxMessage.objects.filter(pool_id=row.pool_id, id=row.id, lease=row.lease).update(
            state=State.HANDING
        ):
            return None
        gateway_id = channel.send(message) or ""
    except ports.Undeliverable as problem:
        return _finish(row, State.FAILED, problem=problem.detail)
    except ports.InstallationAtFault as problem:
        return _keep(row, problem.detail)
    except ports.NotNow as problem:
        return _postpone(row, problem.detail)
    return _finish(row, State.SENT, gateway_id=gateway_id[:LONGEST_GATEWAY_ID])


def _message(row: OutboxMessage, pool: UserPool | None, sender: ports.Sender) -> ports.Message:
    try:
        content = json.loads(sealing.unseal(bytes(row.sealed or b""), place=sealing_contexts.message(row.id)))
    except sealing.KeyUnknown as problem:
        # Another process was restarted with a new key and this one was not: the message is as good as ever.
        raise ports.InstallationAtFault(detail=type(problem).__name__) from None
    except (sealing.Unsealable, ValueError) as problem:
        raise ports.Undeliverable(detail=type(problem).__name__) from None
    # Another release may have written more.
    parts = {part: content.get(part, "") for part in ("to", "subject", "text", "html", "reply_to")}
    if content.get("has_sheet"):
        parts["html"] = _styled(parts["html"], pool)
    return ports.Message(
        id=row.id, pool_id=row.pool_id, medium=row.channel, created_at=row.created_at, sender=sender, **parts
    )


def _styled(page: str, pool: UserPool | None) -> str:
    from pools.services.messages import styles

    return styles.inlined(page, pool=pool.public_id if pool else "")


def _channel(route: routes.Route) -> ports.Channel:
    if not route.carrier:
        raise ports.InstallationAtFault(detail=NO_GATEWAY)
    return ports.channels[route.carrier]


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
    kept = set(_kept().values_list("channel", flat=True).distinct())
    return "; ".join(text for channel, text in WAITING.items() if channel in kept)


def waiting(pool: UserPool) -> list[tuple[str, str]]:
    """Return what holds up a pool's messages, or would, by channel: what an operator should mend."""
    kept = _kept().filter(pool_id=pool.pk).values_list("channel", "problem").distinct()
    found = set(kept.order_by("channel", "problem")[:SHOWN])
    if "phone_number" in pool.auto_verified and not routes.can_send(pool, destinations.SMS):
        found.add((destinations.SMS, NO_GATEWAY))
    return sorted(found)


def _kept() -> Any:  # noqa: ANN401 - the stubs' private kind
    """Return what was put back uncounted."""
    return OutboxMessage.objects.filter(state=State.PENDING, attempts=0).exclude(problem="")


def _due() -> Any:  # noqa: ANN401 - the stubs' private kind
    return OutboxMessage.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=Now()),
        state__in=[State.PENDING, State.HANDING],
        due_at__lte=Now(),
    )


def _finish(row: OutboxMessage, state: State, *, problem: str = "", gateway_id: str = "") -> State | None:
    """End a message's way, if the lease is still ours; its content is erased."""
    ended = OutboxMessage.objects.filter(pool_id=row.pool_id, id=row.id, lease=row.lease).update(
        state=state,
        sealed=None,
        lease=None,
        lease_until=None,
        problem=problem,
        gateway_id=gateway_id,
        sent_at=Now() if state == State.SENT else None,
    )
    if not ended:
        return None
    FINISHED.labels(row.channel, state.value).inc()
    if state == State.SENT:
        DELAY.observe(max(0.0, (clock.now() - row.created_at).total_seconds()))
        more = {"gateway_id": gateway_id} if gateway_id else {}
        log.info("message_sent", id=str(row.id), channel=row.channel, purpose=row.purpose, **more)
    else:
        log.warning("message_not_sent", id=str(row.id), state=state.value, purpose=row.purpose, problem=problem)
    if state == State.FAILED:
        detail = {"purpose": row.purpose, "medium": row.channel, "reason": problem}
        audit.record(
            Tag.MESSAGE_REFUSED, pool=_pool_of(row), subject=row.id, outcome="refused", by=Actor.system(), detail=detail
        )
    return state


def _pool_of(row: OutboxMessage) -> UserPool | None:
    """Return the pool that a message is of, as it stands now; None where it is of none, or the pool is gone."""
    return UserPool.objects.filter(pk=row.pool_id).first()


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
