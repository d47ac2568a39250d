"""HTTP by requests, for ``outbound``, which imports this when a process first calls out: it weighs some MiB.

Private addresses are refused (``guarded``), redirects are never followed, bodies are capped, and one clock runs over a
whole call (``destinations``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import requests
import structlog
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from identity.foundation import guarded
from identity.foundation.destinations import CAP, TOTAL, call, origin, remaining
from identity.foundation.errors import OutsideUnavailable

BLOCK = 1 << 16
OUT_OF_ORDER = frozenset({502, 503, 504})
"""Answers that say the place itself is down. A plain 500 may be the doing of whoever asks, and stops nobody else."""


class AnswerTooLarge(OutsideUnavailable):
    """The body is larger than anyone needs."""


class GuardedAdapter(HTTPAdapter):
    """Sends requests through checked connections and reads whole answers, up to a cap. Authlib's sessions take it."""

    def __init__(self, *, private: bool = False, cap: int = CAP, total: float = TOTAL) -> None:
        """Set its limits. ``private``: the place was configured by an operator and may be anywhere."""
        self.private = private
        self.cap = cap
        self.total = total
        super().__init__(pool_connections=64, pool_maxsize=8)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:  # noqa: FBT001, FBT002 - requests' signature
        """Make pools of guarded connections."""
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=guarded.tls(), **pool
        )
        self.poolmanager.pool_classes_by_scheme = guarded.POOLS[self.private]

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,  # noqa: ANN401
        verify: Any = True,  # noqa: ANN401, FBT002
        cert: Any = None,  # noqa: ANN401
        proxies: Any = None,  # noqa: ANN401
    ) -> requests.Response:
        """Send and read it all, within the clock of the call under way or of its own.

        Raises:
            OutsideUnavailable: no answer in time, a private address, or too large an answer.

        """
        del stream, timeout, verify, cert, proxies
        with call(origin(request.url or ""), total=self.total) as outbound_call:
            try:
                left = remaining()
                response = super().send(request, stream=True, timeout=(min(left, guarded.CONNECT), left))
                self.read(response)
            except (requests.RequestException, HTTPError, OSError) as problem:
                outbound_call.failed = True
                raise OutsideUnavailable(detail=f"{outbound_call.destination}: {type(problem).__name__}") from problem
            outbound_call.failed = response.status_code in OUT_OF_ORDER
            return response

    def read(self, response: requests.Response) -> None:
        """Read the body, so that nobody reads it later without a clock.

        Raises:
            AnswerTooLarge: it is larger than the cap.

        """
        try:
            body = self.capped(response)
        except BaseException:
            response.close()
            raise
        response._content = body  # noqa: SLF001 - what `content` answers
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        response.raw.release_conn()

    def capped(self, response: requests.Response) -> bytes:
        """Return the body, unpacked.

        Raises:
            AnswerTooLarge: it is larger than the cap.

        """
        body = bytearray()
        for block in response.raw.stream(BLOCK, decode_content=True):
            body += block
            if len(body) > self.cap:
                raise AnswerTooLarge(detail=f"more than {self.cap} bytes from {origin(response.url)}")
        return bytes(body)


class GuardedSession(requests.Session):
    """A session that follows nothing and believes no environment."""

    def __init__(self, adapter: GuardedAdapter) -> None:
        """Send everything through the adapter."""
        super().__init__()
        self.guard(adapter)

    def guard(self, adapter: GuardedAdapter) -> None:
        """Send everything through the adapter: for classes of libraries, which make their sessions themselves."""
        self.trust_env = False
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is nowhere to be sent on to."""
        del resp


def session(*, cap: int = CAP, total: float = TOTAL) -> GuardedSession:
    """Return an HTTP session, for Authlib's clients too."""
    return GuardedSession(GuardedAdapter(cap=cap, total=total))


@lru_cache(maxsize=1)
def adapter() -> GuardedAdapter:
    """Return this process's adapter, with its connections."""
    return GuardedAdapter()


@lru_cache(maxsize=1)
def shared() -> GuardedSession:
    """Return this process's session for single requests. It keeps no cookies."""
    plain = GuardedSession(adapter())
    plain.cookies.set_policy(NoCookies())
    return plain


class NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    """Takes no cookie and sends none."""

    def set_ok(self, cookie: object, request: object) -> bool:
        """Refuse."""
        del cookie, request
        return False


def ask(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    data: bytes | Mapping[str, str] | None,
    *,
    cap: int = CAP,
    total: float = TOTAL,
) -> requests.Response:
    """Ask once. Raises as ``outbound.http``."""
    chosen = shared() if (cap, total) == (CAP, TOTAL) else session(cap=cap, total=total)
    try:
        return chosen.request(method, url, headers={**(headers or {}), **asked_by()}, data=data)
    except requests.RequestException as problem:  # the URL itself is wrong: nothing was asked
        raise OutsideUnavailable(detail=f"{type(problem).__name__}") from problem


def asked_by() -> dict[str, str]:
    """Return the header that names the request for whose sake something is asked, so that both logs can be joined."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return {"X-Request-Id": str(request_id)} if request_id else {}
