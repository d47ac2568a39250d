"""Mail by Amazon SES (API v2): as a pool's own sender where the pool has one, else as the installation's.

Always with the installation's own keys: a pool's identity is named to SES, whose owner lets us send as it. What SES's
answers mean is ``amazon_refusals``'.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings

from federation.channels import amazon, mails
from pools.ports import InstallationAtFault, Message, Sender, Undeliverable


class Ses:
    """SES of the region of a pool's identity, or of the installation's."""

    def send(self, message: Message) -> str:
        """Send a mail; return SES's id of it, which replaces the mail's own Message-ID."""
        sender = message.sender
        address = _sender(sender)
        try:
            mail = mails.made_of(message, address)
        except ValueError as problem:
            raise Undeliverable(detail=f"SES: {type(problem).__name__}") from None
        asked: dict[str, Any] = {
            "FromEmailAddress": address,
            "Destination": {"ToAddresses": mail.to},
            "Content": {"Raw": {"Data": mail.message().as_bytes(linesep="\r\n")}},  # type: ignore[call-arg]  # the stubs
        }
        if sender.identity:
            asked["FromEmailAddressIdentityArn"] = sender.identity
        if sender.configuration_set:
            asked["ConfigurationSetName"] = sender.configuration_set
        answer = amazon.ask(
            "sesv2",
            "send_email",
            asked,
            endpoint_url=settings.SES_ENDPOINT_URL,
            region=sender.region or settings.SES_REGION,
            keys=amazon.own_keys(),
        )
        return amazon.text_in("SES", answer, "MessageId")


def _sender(sender: Sender) -> str:
    """Return who a mail comes from, in ASCII, if mail can: else every message would look undeliverable."""
    written = sender.address or settings.DEFAULT_FROM_EMAIL
    try:
        address = mails.address(written)
    except ValueError:
        raise InstallationAtFault(detail=f"SES: {'From' if sender.address else 'MAIL_FROM'} is no address") from None
    if "@" not in parseaddr(address)[1]:
        raise InstallationAtFault(detail="SES: there is no sender")
    return address
