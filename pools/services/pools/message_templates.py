"""Templates of a pool's messages: their placeholders, and which one counts where older members say the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pools.models import UserPool

CODE = "{####}"
NAME = "{username}"
LINK = re.compile(r"\{##([^{}]+?)##\}")
MIRRORED = (
    ("email_verification_message", "email_message"),
    ("email_verification_subject", "email_subject"),
    ("sms_verification_message", "sms_message"),
)
"""Older members of a pool, and the template's that say the same: what one is given, both tell."""


def placeholders_missing(template: str, *needed: str) -> list[str]:
    """Return which of the needed placeholders a template lacks."""
    return [placeholder for placeholder in needed if placeholder not in template]


def has_link(template: str) -> bool:
    """Say whether a template has a place for a confirmation link."""
    return LINK.search(template) is not None


def verification(pool: UserPool) -> Mapping[str, str]:
    """Return the pool's verification template, with the legacy members where the newer are not given."""
    given: dict[str, str] = dict(pool.configuration.get("verification_message_template") or {})
    for legacy, member in MIRRORED:
        if pool.configuration.get(legacy):
            given.setdefault(member, pool.configuration[legacy])
    return given
