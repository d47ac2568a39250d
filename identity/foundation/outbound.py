"""The one way out: the only HTTP clients and the only clients of AWS.

Private addresses are refused unless configuration allows them, redirects are never followed, bodies are capped,
one clock runs over a whole call, and only so many threads may wait (``destinations``). Nothing goes out while a
transaction is open. What speaks HTTP is imported by the first call: most processes never make one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from identity.foundation.destinations import CAP, TOTAL, OutboundCall, call, origin, within

__all__ = ["MACHINE", "UNSIGNED", "Answered", "OutboundCall", "aws_client", "call", "http", "origin", "within"]

UNSIGNED = ("unsigned", "unsigned")
"""Keys for operations that are never signed: with them botocore looks for no others, in no file and at no address."""
MACHINE = None
"""In place of keys: those that the machine has, as botocore finds them, though in no file of somebody's."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By names in whatever case."""
    body: bytes


def http(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: bytes | Mapping[str, str] | None = None,
    cap: int = CAP,
    total: float = TOTAL,
) -> Answered:
    """Ask once, without redirects: for so many bytes of an answer at most, in so many seconds.

    Raises:
        OutsideUnavailable: no answer in time, a private address, or too large an answer.
        Overloaded: too many calls are under way.

    """
    from identity.foundation import http_sessions

    response = http_sessions.ask(method, url, headers, data, cap=cap, total=total)
    return Answered(response.status_code, response.headers, response.content)


def aws_client(
    service: str, *, endpoint_url: str = "", keys: tuple[str, ...] | None = UNSIGNED, region: str = ""
) -> Any:  # noqa: ANN401 - botocore's own
    """Return this process's client of a service of AWS at an endpoint; without one, Amazon's own.

    ``keys``: id, secret and, of temporary ones, their token; or ``MACHINE``.

    Its methods raise what botocore's do, and our refusals. Wrap several calls, or one with its retry, in :func:`call`
    to run one clock over them.
    """
    from identity.foundation import aws_clients

    return aws_clients.client(service, endpoint_url, keys, region)
