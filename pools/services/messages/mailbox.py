"""Messages that are kept here in place of being sent: what the mailbox page shows. Production has none."""

from __future__ import annotations

from pools.models import CapturedMessage
from pools.ports import Message
from pools.services.messages import destinations


class Mailbox:
    """The channel of whoever sends nothing: each message is kept once, by its id."""

    def send(self, message: Message) -> str:
        """Keep a message."""
        kept = CapturedMessage(
            id=message.id,
            pool_id=message.pool_id,
            channel=message.medium,
            to=message.to,
            subject=message.subject,
            body=message.text,
            html=message.html,
            created_at=message.created_at,
        )
        CapturedMessage.objects.bulk_create([kept], ignore_conflicts=True)
        return ""


def is_open() -> bool:
    """Say whether there is a mailbox: mail or text messages are kept here."""
    return destinations.CAPTURED in map(destinations.carrier, destinations.MEDIUM)


def captured(to: str | None = None, limit: int = 100) -> list[CapturedMessage]:
    """Return captured messages, newest first, of one address or all."""
    found = CapturedMessage.objects.order_by("-id")
    return list((found.filter(to=to) if to is not None else found)[:limit])
