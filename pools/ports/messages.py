"""What carries mail and text messages, and the ways in which it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from identity.foundation.errors import DomainError


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name a message goes where its pool has a sender of its own. What is empty is the installation's."""

    address: str = ""
    """Whom a mail is from."""
    identity: str = ""
    """The gateway's name of whoever may send as that address; of a text message, whom it is from."""
    configuration_set: str = ""
    entity_id: str = ""
    """Who sends, in India's register of senders (DLT)."""
    template_id: str = ""
    """What is sent, in that register."""
    role: str = ""
    """The role that is assumed to send."""
    external_id: str = field(default="", repr=False)
    """What its owner wants to be told by whoever assumes it."""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a channel sends it. Whoever sends one id twice sends the same message again."""

    id: UUID
    pool_id: int
    medium: str
    """``email`` or ``sms``."""
    created_at: datetime
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    reply_to: str = field(default="", repr=False)
    sender: Sender = Sender()


class Undeliverable(DomainError):
    """A message will never be taken; trying again would not help. ``detail`` says why, and quotes nothing of it."""


class NotNow(DomainError):
    """A message was not taken this time: it is kept, and tried again so many times. ``detail`` as above."""


class InstallationAtFault(NotNow):
    """Nothing can be sent now, whatever it is: no message's fault, so no try of it. An operator mends it."""


class Channel(Protocol):
    """Carries mail, or text messages: a mail server, a gateway, the mailbox."""

    def send(self, message: Message) -> str:
        """Send a message, outside any transaction; it is sent when this returns.

        Returns the id by which the other side knows it, empty where it says none.

        Raises:
            Undeliverable: it can never go.
            NotNow: the other side or the installation (:class:`InstallationAtFault`) is at fault.

        """
