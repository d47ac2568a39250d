"""Messages on their way: composed, limited, issued and queued, the same for people and for nobody.

Composed before the transaction; limited inside it, before anything is written; issued and queued with their cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.models import AppClient, OutboxMessage, User, UserPool
from pools.models.hot import Person
from pools.services import access, atomic_part, audit, codes, receipts, triggers
from pools.services.audit import Tag
from pools.services.messages import compose, destinations, outbox, send_limits
from pools.services.messages.destinations import Delivery
from pools.services.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A composed message: where it goes and what for, and the code in it, if it has one."""

    row: OutboxMessage
    to: str
    subject_id: UUID | None = None
    """Whose code it is."""
    code: str = field(default="", repr=False)
    mailbox: str = ""
    """What a message to nobody counts towards, where not its address."""

    @property
    def is_to_nobody(self) -> bool:
        """Say whether it was born sent."""
        return self.row.sealed is None

    @property
    def delivery(self) -> Delivery:
        """Return what may be told of it."""
        return destinations.delivery(self.row.channel, self.to)


def code(  # noqa: PLR0913 - a message has these parts
    pool: UserPool,
    client: AppClient | None,
    subject: access.Subject | User | Person,
    purpose: str,
    *,
    channel: str,
    to: str,
    by_link: bool = False,
    nobody: bool = False,
    words: str = "",
) -> Outgoing:
    """Compose a message with a new code, which means nothing before :func:`send`; ``words`` in place of the purpose's.

    Raises:
        TriggerUnavailable: something that cannot be called carries the pool's messages.

    """
    triggers.check(pool, *triggers.OF_MESSAGES)
    new = codes.new()
    row = compose.code(
        pool,
        client,
        purpose=purpose,
        code=new,
        to=to,
        channel=channel,
        username=subject.username,
        by_link=by_link,
        nobody=nobody,
        words=words,
    )
    return Outgoing(row, to, subject.id, new)


def refusal(pool: UserPool, client: AppClient | None, *messages: Outgoing | None) -> DomainError | None:
    """Return why one of these may not go now; the limits of several addresses are taken in one order."""
    chosen = sorted((each for each in messages if each is not None), key=lambda each: each.row.channel)
    refused = [send_limits.refusal(pool, client, each.to, each.row.purpose, mailbox=each.mailbox) for each in chosen]
    return next((each for each in refused if each is not None), None)


def send(pool: UserPool, *messages: Outgoing | None) -> str:
    """Issue the codes and queue the messages, in the transaction of their cause; return their channels."""
    chosen = [each for each in messages if each is not None]
    for each in chosen:
        if each.subject_id is not None:
            codes.issue(pool, each.subject_id, each.row.purpose, "" if each.is_to_nobody else each.to, each.code)
        outbox.queue(each.row)
    return " ".join(each.row.channel for each in chosen)


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
    channel, to = route or (destinations.EMAIL, f"nobody:{subject.id}")
    message = code(pool, client, subject, purpose, channel=channel, to=to, by_link=by_link, nobody=nobody)
    # Who has an account does not change what a name's mailbox counts: else a full one would tell.
    message = replace(message, mailbox=name if nobody and "@" in name else to)
    message.row.mailbox_hash = outbox.recipients(pool, destinations.untagged(message.mailbox))[0]
    with atomic_part.begin() as part:
        part.refuse_if(refusal(pool, client, message) or receipts.keep(receipt))
        send(pool, message)
        outcome = "refused" if nobody else "done"
        detail = {"purpose": str(purpose), "client_id": client.client_id}
        audit.record(Tag.CODE_SENT, pool=pool, subject=subject.sub, by=by, outcome=outcome, detail=detail)
