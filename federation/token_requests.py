"""Trades an authorization code for tokens (RFC 6749 4.1.3): Authlib's client, sent by the one way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from federation import json_answers, refusals
from identity.foundation.errors import LoginRefused, OutsideUnavailable

TOKEN = re.compile(r"[\x21-\x7e]+")
"""RFC 6750 2.1, and what more some providers put into theirs; nothing that ends a header."""
WHAT = "token endpoint"
Told = Mapping[str, Any]
ErrorOf = Callable[[Told], tuple[str, str]]
"""Returns the error of an answer and its description; empty where it has none."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was traded for."""

    access_token: str = field(repr=False)
    id_token: object = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at a provider."""

    id: str
    secret: str = field(repr=False)
    """Empty for one that has none."""
    callback: str


def session(**client: Any) -> Any:  # noqa: ANN401 - Authlib has no types
    """Return Authlib's session of a client: imported for the first, since most processes never ask a provider."""
    from federation.upstream_sessions import UpstreamSession

    return UpstreamSession(**client)


def error_of(told: Told) -> tuple[str, str]:
    """Return the error of an answer as RFC 6749 5.2 has it."""
    return str(told.get("error") or ""), str(told.get("error_description") or "")


def redeem(
    url: str, client: Client, code: str, *, verifier: str = "", method: str = "POST", error_of: ErrorOf = error_of
) -> Tokens:
    """Return the tokens for a code. By ``GET`` everything stands in the query, as Facebook's older clients do it.

    Raises:
        LoginRefused: the provider refuses the code, or us.
        OutsideUnavailable: it does not answer, or nothing that can be understood.
        Overloaded: too many calls are under way.

    """
    posts = method == "POST"
    asking = session(
        client_id=client.id,
        client_secret=client.secret,
        redirect_uri=client.callback,
        token_endpoint_auth_method="client_secret_post" if posts and client.secret else "none",
    )
    asking.register_compliance_hook("access_token_response", lambda response: understood(response, error_of))
    beside = {} if posts else {"client_secret": client.secret}
    try:
        told = asking.fetch_token(
            url, method=method, grant_type="authorization_code", code=code, code_verifier=verifier, **beside
        )
    except (ValueError, TypeError, OverflowError) as problem:  # an expires_in that is no number
        raise OutsideUnavailable(detail=f"{WHAT}: {type(problem).__name__}") from None
    return Tokens(access_token(told), told.get("id_token"))


def understood(response: Any, error_of: ErrorOf) -> Any:  # noqa: ANN401 - requests' response, for Authlib
    """Return an answer that Authlib can read. Raises as :func:`redeem`."""
    status = response.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OutsideUnavailable(detail=f"{WHAT}: answers {status}")
    told = json_answers.parsed(response.content, f"{WHAT}: answers {status}")
    error, description = error_of(told)
    if error:
        raise refusals.told(error, description, status=status)
    if status >= HTTPStatus.BAD_REQUEST:
        raise LoginRefused(refusals.REFUSED, code="provider_refused", detail=f"{WHAT}: answers {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise OutsideUnavailable(detail=f"{WHAT}: answers {status}")
    return response


def access_token(told: Told) -> str:
    """Return the access token of an answer. Raises OutsideUnavailable where there is none that can be shown."""
    found, kind = told.get("access_token"), told.get("token_type", "bearer")
    if not isinstance(found, str) or not TOKEN.fullmatch(found):
        raise OutsideUnavailable(detail=f"{WHAT}: no access_token")
    if str(kind).lower() != "bearer":
        raise OutsideUnavailable(detail=f"{WHAT}: token_type is not Bearer")
    return found
