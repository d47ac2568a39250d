"""By which channel a pool's messages go, and in whose name: its own sender where it has one, else the installation's.

Decided when a message leaves, so that those which wait go once a setting is mended. Where messages are kept here
(``MAIL_CHANNEL=captured``), those of every pool are: nobody is written to by a copy of a pool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pools.models import UserPool
from pools.ports import Sender
from pools.services.messages import destinations

SES, SNS, EUMS = "ses", "sns", "eums"
NO_REPLY = "no-reply"
THE_INSTALLATION = Sender()


@dataclass(frozen=True, slots=True)
class Route:
    """The name of a channel (``ports.channels``), empty where nothing carries such messages, and the sender."""

    carrier: str
    sender: Sender = THE_INSTALLATION


def of(pool: UserPool | None, channel: str) -> Route:
    """Return the way of a pool's mail or text messages; without a pool, the installation's."""
    installed = Route(destinations.carrier(channel))
    if pool is None or installed.carrier == destinations.CAPTURED:
        return installed
    own = _mail(pool) if channel == destinations.EMAIL else _sms(pool)
    return own or installed


def can_send(pool: UserPool, channel: str) -> bool:
    """Say whether people of a pool can be reached by mail or by SMS."""
    return bool(of(pool, channel).carrier)


def usable(pool: UserPool, channels: Sequence[str]) -> list[str]:
    """Return those of some channels that reach people; where none does, all: what is sent waits until one can."""
    return [channel for channel in channels if can_send(pool, channel)] or list(channels)


def _mail(pool: UserPool) -> Route | None:
    given = pool.configuration.get("email_configuration") or {}
    source = given.get("source_arn") or ""
    if given.get("email_sending_account") != "DEVELOPER" or not source:
        return None
    identity = source.partition(":identity/")[2]
    sender = Sender(
        address=given.get("from") or (identity if "@" in identity else f"{NO_REPLY}@{identity}"),
        identity=source,
        configuration_set=given.get("configuration_set") or "",
        region=source.split(":")[3],
    )
    return Route(SES, sender)


def _sms(pool: UserPool) -> Route | None:
    given = pool.configuration.get("sms_configuration") or {}
    return _eums(given.get("eums_sms") or {}) or _sns(given)


def _eums(given: Mapping[str, str]) -> Route | None:
    if not given.get("caller_arn"):
        return None
    sender = Sender(
        identity=given.get("origination_identity") or "",
        configuration_set=given.get("configuration_set_name") or "",
        entity_id=given.get("in_entity_id") or "",
        template_id=given.get("in_template_id") or "",
        role=given["caller_arn"],
        external_id=given.get("external_id") or "",
        region=given.get("region") or "",
    )
    return Route(EUMS, sender)


def _sns(given: Mapping[str, Any]) -> Route | None:
    if not given.get("sns_caller_arn"):
        return None
    sender = Sender(
        role=given["sns_caller_arn"],
        external_id=given.get("external_id") or "",
        region=given.get("sns_region") or "",
    )
    return Route(SNS, sender)
