"""Addresses that an app wants people sent to and that are not registered for it: logged, and shown to who builds it.

What the error page shows travels to it sealed, so that nobody else can put words there. Nothing is ever followed.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import structlog
from django.conf import settings

from identity.foundation import sealing
from identity.foundation.errors import ClientNotFound
from pools.models import AppClient, UserPool
from pools.services import access

log = structlog.get_logger(__name__)
LONGEST = 1000
"""Characters of an address that are kept."""


class Mismatch(NamedTuple):
    """What came, what is registered, and the reference under which the log has it."""

    asked: str
    registered: list[str]
    reference: str


def log_mismatch(client: AppClient, asked: str, *, after_logout: bool = False) -> Mismatch:
    """Log a mismatch with the request's reference, and return it."""
    reference = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    registered = list(client.logout_urls if after_logout else client.callback_urls)
    found = Mismatch(asked[:LONGEST], registered, reference)
    log.warning(
        "redirect_mismatch",
        reference=reference,
        pool=client.pool.public_id,
        client=client.client_id,
        asked=found.asked,
        registered=registered,
    )
    return found


def sealed(client: AppClient, found: Mismatch, *, after_logout: bool = False) -> str:
    """Return a mismatch for the address of the error page."""
    carried = json.dumps([client.client_id, found.asked, found.reference, after_logout])
    return sealing.seal_text(carried.encode(), purpose=_purpose(client.pool))


def unsealed(pool: UserPool, text: str) -> Mismatch | None:
    """Return what :func:`sealed` made; None for anything else."""
    try:
        client_id, asked, reference, after_logout = json.loads(sealing.unseal_text(text, purpose=_purpose(pool)))
        client = access.client_in(pool, client_id)
    except (sealing.Unsealable, ValueError, ClientNotFound):
        return None
    return Mismatch(asked, list(client.logout_urls if after_logout else client.callback_urls), reference)


def _purpose(pool: UserPool) -> str:
    return f"redirect-mismatch:{pool.public_id}"


def is_shown() -> bool:
    """Say whether the page shows addresses: to developers, never where people are."""
    return bool(settings.MODE == "development")
