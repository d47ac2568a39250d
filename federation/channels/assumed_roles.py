"""The roles with which pools send text messages: assumed when one is due, kept until shortly before they expire.

Kept in this process alone, by role and external id together: whoever knows a role but not what its owner wants to be
told has nothing of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from federation.channels import amazon
from identity.foundation import clock
from pools.ports import InstallationAtFault, NotNow, Sender, Undeliverable

MARGIN = timedelta(minutes=5)
"""Credentials are used no longer than so long before their end."""
REMEMBERED = 64
SESSION_NAME = "cognate-sms"
"""What the role's account reads in its trail."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """Credentials of a role, and their end."""

    keys: tuple[str, ...] = field(repr=False)
    ends: datetime


class Roles:
    """What this process has assumed, the least used forgotten first."""

    def __init__(self) -> None:
        """Have assumed nothing."""
        self._kept: OrderedDict[tuple[str, str], Assumed] = OrderedDict()
        self._lock = threading.Lock()

    def ask(
        self,
        sender: Sender,
        service: str,
        operation: str,
        asked: Mapping[str, Any],
        *,
        endpoint_url: str,
        region: str,
    ) -> Mapping[str, Any]:
        """Return what a service answers to a sender's role, or to the installation where the sender has none.

        Raises:
            Undeliverable, NotNow, InstallationAtFault: it does not, or the role cannot be assumed.

        """
        keys = self.keys(sender, region) if sender.role else amazon.own_keys()
        try:
            return amazon.ask(service, operation, asked, endpoint_url=endpoint_url, region=region, keys=keys)
        except amazon.Stale:
            self.forget(sender)
            raise

    def keys(self, sender: Sender, region: str) -> tuple[str, ...]:
        """Return credentials of a sender's role, asked for in a region.

        Raises:
            InstallationAtFault: it cannot be assumed, whatever is to be sent.

        """
        name = (sender.role, sender.external_id)
        with self._lock:
            found = self._kept.get(name)
            if found is not None and found.ends - MARGIN > clock.now():
                self._kept.move_to_end(name)
                return found.keys
        assumed = _assume(sender, region)
        with self._lock:
            self._kept[name] = assumed
            self._kept.move_to_end(name)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return assumed.keys

    def forget(self, sender: Sender) -> None:
        """Forget a role: its credentials were refused before their time."""
        with self._lock:
            self._kept.pop((sender.role, sender.external_id), None)


def _assume(sender: Sender, region: str) -> Assumed:
    asked = {
        "RoleArn": sender.role,
        "RoleSessionName": SESSION_NAME,
        **({"ExternalId": sender.external_id} if sender.external_id else {}),
    }
    try:
        answer = amazon.ask(
            "sts",
            "assume_role",
            asked,
            endpoint_url=settings.SNS_STS_ENDPOINT_URL,
            region=region,
            keys=amazon.own_keys(),
        )
        parts = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        keys = tuple(amazon.text_in("STS", answer, "Credentials", part) for part in parts)
    except (Undeliverable, NotNow) as problem:
        raise InstallationAtFault(detail=problem.detail) from None  # no message was shown to anybody
    ends = answer["Credentials"].get("Expiration")
    return Assumed(keys, ends if isinstance(ends, datetime) else clock.now())
