"""What somebody agreed to on the page that asks them: sealed, for one request of an app and one browser's session.

Apps that anybody may have registered need it; where such an app is asked about is decided by who serves the request.
Nothing is remembered: the next request is asked about again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.http import urlencode

from identity.foundation import clock, sealing
from pools.services.tokens import interactions

if TYPE_CHECKING:
    from pools.models import UserPool
    from pools.models.hot import BrowserSession

LIFE = timedelta(minutes=10)
"""From the answer to what follows from it, which is one redirect."""
DECLINED = "no"


def seal(pool: UserPool, session: BrowserSession, parameters: Mapping[str, str]) -> str:
    """Return the value of :data:`interactions.CONSENTED` by which a session's person agrees to a request, now."""
    return sealing.seal_text(str(clock.epoch()).encode(), purpose=_purpose(pool, session, parameters))


def is_given(pool: UserPool, session: BrowserSession, parameters: Mapping[str, str]) -> bool:
    """Say whether a session's person has just agreed to this very request."""
    try:
        given = sealing.unseal_text(
            parameters.get(interactions.CONSENTED, ""), purpose=_purpose(pool, session, parameters)
        )
    except sealing.Unsealable:
        return False
    return 0 <= clock.epoch() - int(given) <= LIFE.total_seconds()


def _purpose(pool: UserPool, session: BrowserSession, parameters: Mapping[str, str]) -> str:
    asked = urlencode(sorted(interactions.of_application(parameters).items()))
    return f"consent:{pool.public_id}:{session.id}:{hashlib.sha256(asked.encode()).hexdigest()}"
