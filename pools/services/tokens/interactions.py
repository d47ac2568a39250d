"""What a browser came for, where it must survive a trip elsewhere: kept under an id, single use, bound to a browser.

An OAuth request that only passes through our own pages stays in their URL and needs no row (DECISIONS.md 8).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from identity.foundation import clock, sealing
from identity.foundation.errors import InteractionExpired
from identity.foundation.names import uuid7
from pools.models import Interaction, UserPool

OF_ONE_PAGE = frozenset({"code", "user_name", "confirmation_code", "error", "change"})
"""What a link to one of our pages says, which is not carried to the next."""
CARRIED = 6000
"""How long a query our pages carry from one to the next."""


def begin(
    pool: UserPool, kind: str, request: dict[str, Any], *, browser: str, resume: str, minutes: int = 20
) -> uuid.UUID:
    """Keep a request for the browser that holds this secret; return its id. ``resume`` is a URL name."""
    row = Interaction(
        id=uuid7(),
        pool_id=pool.pk,
        kind=kind,
        request=request,
        browser=sealing.keyed_hash("interaction", browser),
        resume=resume,
        expires_at=clock.now() + timedelta(minutes=minutes),
    )
    row.save(force_insert=True)
    return row.id


def peek(pool: UserPool, interaction_id: uuid.UUID | str, *, kind: str, browser: str) -> Interaction:
    """Return a live interaction of this pool, kind and browser, without spending it.

    Raises:
        InteractionExpired: unknown, spent, late, or another browser's.

    """
    try:
        key = uuid.UUID(str(interaction_id))
    except ValueError:
        raise InteractionExpired from None
    found = Interaction.objects.filter(pool_id=pool.pk, pk=key, kind=kind, consumed_at=None).first()
    if found is None or found.expires_at <= clock.now() or not sealing.matches("interaction", browser, found.browser):
        raise InteractionExpired
    return found


def take(pool: UserPool, interaction_id: uuid.UUID | str, *, kind: str, browser: str) -> Interaction:
    """Spend an interaction by one conditional statement, and return it.

    Raises:
        InteractionExpired: as :func:`peek`, or a duplicate was faster.

    """
    found = peek(pool, interaction_id, kind=kind, browser=browser)
    unspent = Interaction.objects.filter(pool_id=pool.pk, pk=found.pk, consumed_at=None)
    if unspent.update(consumed_at=clock.now()) != 1:
        raise InteractionExpired
    return found
