"""Errors of the management API as problem JSON (RFC 9457), whoever answers. What API views raise is ``rest_problems``'.

Every web process has this; the REST framework only those that are asked for the API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from identity.console.tables import Text

CONTENT_TYPE = "application/problem+json"


def body(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return a problem. ``code`` is stable and for programs, ``detail`` is for people."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }


def problem_response(status: int, code: str, detail: Text, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a problem where no API view is at work."""
    content = json.dumps(body(status, code, str(detail)), ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(content, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))
