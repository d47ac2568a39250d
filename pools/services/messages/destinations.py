"""Where messages may go, and what may be told of it: channels, media, and addresses as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

EMAIL, SMS = "email", "sms"
MEDIUM = {EMAIL: "EMAIL", SMS: "SMS"}
ATTRIBUTE = {EMAIL: "email", SMS: "phone_number"}
CHANNEL = {"email": EMAIL, "phone_number": SMS}
CAPTURED = "captured"
"""What carries messages nowhere: they are kept here (``mailbox``)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a code went, as it may be told: the destination is masked."""

    destination: str
    medium: str
    attribute: str


def carrier(channel: str) -> str:
    """Return the name of what carries mail or SMS in this installation (``ports.channels``); empty for nothing.

    A pool may have its own (``routes``).
    """
    return str(settings.MAIL_CHANNEL if channel == EMAIL else settings.SMS_CHANNEL)


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


def untagged(address: str) -> str:
    """Return an address without its ``+tag`` (RFC 5233), which most mail servers deliver alike; others as they are.

    Dots are left: to most servers they are letters like any other.
    """
    local, at, host = address.rpartition("@")
    return f"{local.split('+')[0] or local}{at}{host}"
