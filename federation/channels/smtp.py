"""Mail by SMTP: one message over one connection, and what a server's answer means for it.

How the server is greeted and signed in to is ``mail_server``; when to try again is ``pools.services.messages``'.
"""

from __future__ import annotations

import smtplib
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from federation.channels import mails
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


class Smtp:
    """The installation's mail server, as ``SMTP_HOST`` and its like name it."""

    def send(self, message: Message) -> str:
        """Send a mail. A server's own id of it is nothing that SMTP tells by a rule."""
        sender = _sender()
        try:
            mail = mails.made_of(message, sender)
        except ValueError as problem:
            # An address or a header that no mail can have. Its text quotes the address: only its kind is told.
            raise Undeliverable(detail=type(problem).__name__) from None
        server = get_connection()
        try:
            _greet(server)
            _hand_to(server, mail)
        finally:
            _part_from(server)
        return ""


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
        return mails.address(settings.DEFAULT_FROM_EMAIL)
    except ValueError:
        raise InstallationAtFault(detail="MAIL_FROM is no address") from None
