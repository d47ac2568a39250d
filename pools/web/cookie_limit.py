"""Other pools in the same browser: at most ten keep their cookies at one origin, since each request brings them all."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from identity.foundation.errors import PoolNotFound
from pools.services import access
from pools.services.tokens import sessions
from pools.web import session_cookie

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.web.page_request import PageRequest

MOST_POOLS = 10
MOST_AT_ONCE = 10
"""A browser of ours is never above the limit by more; a header that somebody made up costs no more than this."""
NEVER = uuid.UUID(int=0)


def enforce(page_request: PageRequest, response: HttpResponse) -> HttpResponse:
    """Where an answer sets cookies of its pool, end the oldest pools beyond the limit and take their cookies back."""
    if not response.cookies:
        return response
    region, _, own = page_request.pool.public_id.rpartition("_")
    cookies, prefix = page_request.request.COOKIES, page_request.browser.session_cookie.removesuffix(own)
    found = by_pool(cookies, prefix)
    found.pop(own, None)

    def began(short: str) -> uuid.UUID:
        """Return the session's id, which sorts by age; where nobody is signed in, least is lost."""
        read = sessions.read_cookie(cookies.get(prefix + short))
        return read[0] if read else NEVER

    surplus = max(0, len(found) + 1 - MOST_POOLS)
    for short in sorted(found, key=began)[: min(surplus, MOST_AT_ONCE)]:
        end_session(page_request, f"{region}_{short}", cookies.get(prefix + short))
        for name in found[short]:
            session_cookie.forget(page_request.request, response, name)
    return response


def by_pool(cookies: Mapping[str, str], prefix: str) -> dict[str, list[str]]:
    """Return the names of this scheme's cookies by the short id of their pool, in the browser's order."""
    ours = re.compile(rf"{re.escape(prefix)}([0-9A-Za-z]{{1,40}})(-form|-step|-trip|-way)?")
    found: dict[str, list[str]] = {}
    for name in cookies:
        if read := ours.fullmatch(name):
            found.setdefault(read[1], []).append(name)
    return found


def end_session(page_request: PageRequest, pool_id: str, cookie: str | None) -> None:
    """End the session of a cookie that goes; one that proves nothing ends nothing."""
    with suppress(PoolNotFound):
        pool = access.pool(pool_id)
        session = sessions.live_session(pool, cookie)
        if session is not None:
            sessions.end(pool, session, by=page_request.by_user(session))
