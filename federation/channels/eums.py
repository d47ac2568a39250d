"""Text messages by AWS End User Messaging SMS: with a pool's role and origination identity, else with our own.

What its answers mean is ``amazon_refusals``'; how a pool's role is assumed ``assumed_roles``'.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from federation.channels import amazon
from federation.channels.assumed_roles import Roles
from pools.ports import Message, Sender


class Eums:
    """End User Messaging SMS of the region that a pool or the installation names."""

    def __init__(self) -> None:
        """Have assumed no role yet."""
        self.roles = Roles()

    def send(self, message: Message) -> str:
        """Send a text message; return the service's id of it. AWS: SMS and Voice API v2, SendTextMessage."""
        sender = message.sender if message.sender.role else _installation()
        asked: dict[str, Any] = {
            "DestinationPhoneNumber": message.to,
            "MessageBody": message.text,
            # Somebody waits for it.
            "MessageType": "TRANSACTIONAL",
            "OriginationIdentity": sender.identity,
            "ConfigurationSetName": sender.configuration_set,
            "DestinationCountryParameters": _registered(sender),
        }
        answer = self.roles.ask(
            sender,
            "pinpoint-sms-voice-v2",
            "send_text_message",
            {name: value for name, value in asked.items() if value},
            endpoint_url=settings.EUMS_ENDPOINT_URL,
            region=sender.region or settings.EUMS_REGION,
        )
        return amazon.text_in("EUMS", answer, "MessageId")


def _installation() -> Sender:
    return Sender(identity=settings.EUMS_ORIGINATION_IDENTITY, configuration_set=settings.EUMS_CONFIGURATION_SET)


def _registered(sender: Sender) -> dict[str, str]:
    """Return what carriers of India ask for; others are not told."""
    ids = {"IN_ENTITY_ID": sender.entity_id, "IN_TEMPLATE_ID": sender.template_id}
    return {name: value for name, value in ids.items() if value}
