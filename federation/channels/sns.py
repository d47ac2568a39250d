"""Text messages by Amazon SNS: with a pool's role where the pool names one, else with the installation's own keys.

What SNS's answers mean is ``amazon_refusals``'; how a pool's role is assumed ``assumed_roles``'.
"""

from __future__ import annotations

from django.conf import settings

from federation.channels import amazon
from federation.channels.assumed_roles import Roles
from pools.ports import Message

TRANSACTIONAL = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
"""Somebody waits for it: reliability before cost. AWS: SNS Developer Guide, publishing to a mobile phone."""


class Sns:
    """SNS of the region that a pool or the installation names."""

    def __init__(self) -> None:
        """Have assumed no role yet."""
        self.roles = Roles()

    def send(self, message: Message) -> str:
        """Send a text message; return SNS's id of it."""
        answer = self.roles.ask(
            message.sender,
            "sns",
            "publish",
            {"PhoneNumber": message.to, "Message": message.text, "MessageAttributes": TRANSACTIONAL},
            endpoint_url=settings.SNS_ENDPOINT_URL,
            region=message.sender.region or settings.SNS_REGION,
        )
        return amazon.text_in("SNS", answer, "MessageId")
