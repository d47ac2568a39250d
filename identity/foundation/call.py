"""Machine endpoints: functions ``Call → Answer`` that never see Django's request.

The wire gateway, token, userInfo, introspection, discovery and JWKS are such functions. :func:`as_view`
adapts one to Django; nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

MEASURED = "cognate.measured"
"""In the environment of a request whose body came in chunks, without its length."""
AS_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what a machine endpoint may know of it."""

    method: str
    path: str
    """Path inside the pool (or inside the installation), without prefix."""
    query: str
    """Raw query string."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes | None
    """None: larger than the cap, and not read."""
    address: str
    """The true client address behind trusted proxies."""
    request_id: str
    pool: str | None = None
    """Public id of the pool that host or path named."""
    raw_path: str = "/"
    """Path as it was sent, as signatures cover it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:  # noqa: ANN401
        """Return an answer with a JSON body, not to be stored."""
        return cls(
            status,
            AS_JSON.encode(value).encode(),
            {"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
        )


Endpoint = Callable[[Call], Answer]


def respond(answer: Answer) -> HttpResponse:
    """Return an answer as Django's response."""
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


def as_view(endpoint: Endpoint) -> Callable[..., HttpResponse]:
    """Adapt a machine endpoint to Django."""

    def view(request: HttpRequest, **_: object) -> HttpResponse:
        try:
            body = request.body
        except (RequestDataTooBig, UnreadablePostError):
            body = None
        return respond(
            endpoint(
                Call(
                    method=request.method or "GET",
                    path=request.path_info,
                    query=request.META.get("QUERY_STRING", ""),
                    headers={name.lower(): value for name, value in request.headers.items()},
                    body=body,
                    address=getattr(request, "address", ""),
                    request_id=getattr(request, "request_id", ""),
                    pool=getattr(request, "pool", None),
                    raw_path=getattr(request, "raw_path", request.path),
                )
            )
        )

    view.judges_charset = True  # type: ignore[attr-defined]  # they read bytes
    view.csrf_exempt = True  # type: ignore[attr-defined]  # these endpoints carry no cookie
    return view
