"""Mail by SMTP: one message over one connection, and what a server's answer means for it.

How the server is greeted and signed in to is ``mail_server``; when to try again is ``pools.services.messages``'.
"""

from __future__ import annotations

import smtplib
from email.charset import QP, Charset
from email.utils import parseaddr
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address

from pools.ports import InstallationAtFault, Message, NotNow, Undeliverable

log = structlog.get_logger(__name__)
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


class Smtp:
    """The installation's mail server, as ``SMTP_HOST`` and its like name it."""

    def send(self, message: Message) -> None:
        """Send a mail."""
        sender = _sender()
        try:
            mail = _mail(message, sender)
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
    """Connect and sign in. Whatever is wrong by then, no message was shown: ValueError is a name that no host has."""
    try:
        server.open()
    except (OSError, ValueError) as problem:
        raise InstallationAtFault(detail=_said(problem)) from None


def _hand_to(server: Any, mail: EmailMultiAlternatives) -> None:  # noqa: ANN401 - a mail backend of Django's
    """Send over an open connection."""
    try:
        server.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as problem:
        raise _refusal(problem, max((code for code, _ in problem.recipients.values()), default=0)) from None
    except OURSELVES as problem:
        raise InstallationAtFault(detail=_said(problem)) from None
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


def _refusal(problem: Exception, code: int) -> Undeliverable | NotNow:
    said = f"{type(problem).__name__} {code}"
    if code in OF_THE_ACCOUNT:
        return InstallationAtFault(detail=said)
    return Undeliverable(detail=said) if code >= PERMANENT else NotNow(detail=said)


def _said(problem: Exception) -> str:
    """Return what went wrong, in words that quote nothing."""
    return f"{type(problem).__name__} {getattr(problem, 'smtp_code', '')}".strip()


def _sender() -> str:
    """Return who mail comes from, if mail can: else every message would look undeliverable."""
    try:
        return _address(settings.DEFAULT_FROM_EMAIL)
    except ValueError:
        raise InstallationAtFault(detail="MAIL_FROM is no address") from None


def _address(text: str) -> str:
    """Return an address in ASCII. Raises ValueError for one that mail cannot have without SMTPUTF8, or not at all."""
    if not parseaddr(text)[1].rpartition("@")[0].isascii():
        raise ValueError("a mailbox in other letters than ASCII")
    return sanitize_address(text, SEVEN_BIT)  # type: ignore[arg-type]  # the stubs know no Charset


def _mail(message: Message, sender: str) -> EmailMultiAlternatives:
    """Return a message as a mail of 7 bits. Raises ValueError where none can have its address or a header."""
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=sender,
        to=[_address(message.to)],
        reply_to=[_address(message.reply_to)] if message.reply_to else None,
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
