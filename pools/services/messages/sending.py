"""Codes on their way: composed, limited, issued and queued, the same for people and for nobody."""

from __future__ import annotations

from django.db import transaction

from identity.foundation.actor import Actor
from pools.models import AppClient
from pools.services import access, audit, codes, receipts
from pools.services.audit import Tag
from pools.services.messages import compose, destinations, outbox, send_limits
from pools.services.receipts import Receipt


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
    # Who has an account does not change what a name's mailbox counts: else a full one would tell.
    mailbox = name if nobody and "@" in name else to
    code = codes.new()
    letter = compose.code(
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
    letter.mailbox_hash = outbox.recipients(pool, destinations.untagged(mailbox))[0]
    with transaction.atomic(durable=True):
        refused = send_limits.refusal(pool, client, to, purpose, mailbox=mailbox) or receipts.keep(receipt)
        if refused is None:
            codes.issue(pool, subject.id, purpose, "" if nobody else to, code)
            outbox.queue(letter)
            outcome = "refused" if nobody else "done"
            detail = {"purpose": str(purpose), "client_id": client.client_id}
            audit.record(Tag.CODE_SENT, pool=pool, subject=subject.sub, by=by, outcome=outcome, detail=detail)
    if refused is not None:
        raise refused
