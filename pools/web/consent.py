"""What somebody answered on the page that asks for consent: sealed, for one request of an app and one session.

Apps that anybody may have registered need it; where such an app is asked about is decided by who serves the request.
Nothing is remembered: the next request is asked about again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.http import urlencode

from identity.foundation import clock, sealing
from pools.services.tokens import interactions

if TYPE_CHECKING:
    from pools.models import UserPool
    from pools.models.hot import BrowserSession

LIFE = timedelta(minutes=10)
"""From the answer to what follows from it, which is one redirect."""


class Answer(StrEnum):
    """What somebody said."""

    AGREED = "yes"
    DECLINED = "no"


def seal(pool: UserPool, session: BrowserSession, parameters: Mapping[str, str], answer: Answer) -> str:
    """Return the value of :data:`interactions.CONSENTED` by which a session's person answers a request, now."""
    return sealing.seal_text(f"{answer} {clock.epoch()}".encode(), purpose=_purpose(pool, session, parameters))


def answer_to(pool: UserPool, session: BrowserSession, parameters: Mapping[str, str]) -> Answer | None:
    """Return what a session's person has just answered this very request; None where they were not asked yet."""
    carried = parameters.get(interactions.CONSENTED, "")
    try:
        answer, at = sealing.unseal_text(carried, purpose=_purpose(pool, session, parameters)).decode().split()
    except sealing.Unsealable:
        return None
    return Answer(answer) if 0 <= clock.epoch() - int(at) <= LIFE.total_seconds() else None


def _purpose(pool: UserPool, session: BrowserSession, parameters: Mapping[str, str]) -> str:
    asked = urlencode(sorted(interactions.of_application(parameters).items()))
    return f"consent:{pool.public_id}:{session.id}:{hashlib.sha256(asked.encode()).hexdigest()}"
