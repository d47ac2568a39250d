"""A message as a mail of 7 bits, which every server takes. Who carries it is the other modules'."""

from __future__ import annotations

from email.charset import QP, Charset
from email.utils import parseaddr

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address

from pools.ports import Message

SEVEN_BIT = Charset("utf-8")
"""Every part quoted-printable and every header an encoded word: no server has to know 8BITMIME or SMTPUTF8."""
SEVEN_BIT.body_encoding = SEVEN_BIT.header_encoding = QP
LONGEST_LINE = 998
"""Bytes of a line of a mail, its end left out (RFC 5322 2.1.1)."""


def address(text: str) -> str:
    """Return an address in ASCII. Raises ValueError for one that mail cannot have without SMTPUTF8, or not at all."""
    if not parseaddr(text)[1].rpartition("@")[0].isascii():
        raise ValueError("a mailbox in other letters than ASCII")
    return sanitize_address(text, SEVEN_BIT)  # type: ignore[arg-type]  # the stubs know no Charset


def made_of(message: Message, sender: str) -> EmailMultiAlternatives:
    """Return a message as a mail of 7 bits. Raises ValueError where none can have its address or a header."""
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=sender,
        to=[address(message.to)],
        reply_to=[address(message.reply_to)] if message.reply_to else None,
        headers={
            "Message-ID": f"<{message.id}@{host}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.encoding = SEVEN_BIT
    mail.attach_alternative(message.html, "text/html")
    if any(len(line) > LONGEST_LINE for line in mail.message().as_bytes().splitlines()):
        raise ValueError("a header that cannot be folded")
    return mail
