"""JSON objects that providers answer: documents that they publish, and what they tell of a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from federation.refusals import REFUSED
from identity.foundation import outbound
from identity.foundation.errors import LoginRefused, OutsideUnavailable

ACCEPT = {"Accept": "application/json"}


def document(url: str) -> dict[str, Any]:
    """Return what is published at a URL.

    Raises:
        OutsideUnavailable: nothing, or no JSON object.
        Overloaded: too many calls are under way.

    """
    answered = outbound.http("GET", url, headers=ACCEPT)
    if answered.status != HTTPStatus.OK:
        raise OutsideUnavailable(
            code="answered_status", parameters={"status": answered.status}, detail=f"{url} answers {answered.status}"
        )
    return parsed(answered.body, url)


def profile(url: str, *, token: str, method: str = "GET", what: str = "userinfo") -> dict[str, Any]:
    """Return what a provider tells of the person whose access token this is.

    Raises:
        LoginRefused: it refuses the token.
        OutsideUnavailable: it does not answer, has been asked too often, or no JSON object.
        Overloaded: too many calls are under way.

    """
    return told(outbound.http(method, url, headers={**ACCEPT, **bearer(token)}), what)


def told(answered: outbound.Answered, what: str) -> dict[str, Any]:
    """Return the object that was answered. Raises as :func:`profile`."""
    refuses = HTTPStatus.BAD_REQUEST <= answered.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if refuses and answered.status != HTTPStatus.TOO_MANY_REQUESTS:
        raise LoginRefused(REFUSED, code="provider_refused", detail=f"{what}: answers {answered.status}")
    if answered.status != HTTPStatus.OK:
        raise OutsideUnavailable(detail=f"{what}: answers {answered.status}")
    return parsed(answered.body, what)


def bearer(token: str) -> Mapping[str, str]:
    """Return the header that shows an access token (RFC 6750 2.1)."""
    return {"Authorization": f"Bearer {token}"}


def parsed(body: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Raises:
        OutsideUnavailable: it is none.

    """
    found = object_of(body)
    if found is None:
        raise OutsideUnavailable(code="answered_no_json", detail=f"{what}: no JSON object")
    return found


def object_of(text: str | bytes) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None for what is none, or holds characters that no text has.

    JSON can spell halves of characters and the character 0 (RFC 8259 8.2), which neither UTF-8 nor PostgreSQL can.
    """
    try:
        found = json.loads(text)
        written = json.dumps(found, ensure_ascii=False)
        written.encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "\\u0000" not in written else None
