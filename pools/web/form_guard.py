"""Whether a form was sent by a page of ours, in the browser it was shown to.

Two proofs, both needed: a token MACed over the browser's nonce cookie, the form and the pool; and that no header names
another origin. A browser tells Origin with every POST from another site, so its absence (scripts, old browsers) is
left to the token, while a foreign or opaque one is refused. Each form that is shown has a token of its own, by which
``repeated_forms`` knows it when it comes again.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from identity.foundation import origins, sealing
from identity.foundation.errors import DomainError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from pools.web.browser import BrowserCookies

FIELD = "form_token"


NONCE = 16
"""Bytes at the head of a token that no other form's has."""


class FormRefused(DomainError):
    """A form came from another site."""

    public = "This page was not sent from here. Load it again and retry."


def token(browser: BrowserCookies, form: str) -> str:
    """Return a token for one showing of a form in this browser."""
    own = secrets.token_bytes(NONCE)
    return (own + sealing.keyed_hash("hosted-form", _material(browser, form, own))).hex()


def _material(browser: BrowserCookies, form: str, own: bytes) -> str:
    return f"{browser.form_nonce()}\n{form}\n{browser.pool.public_id}\n{own.hex()}"


def was_shown(request: HttpRequest, browser: BrowserCookies, form: str) -> bool:
    """Say whether a form was shown to this browser, since it was last signed in or out."""
    if not browser.nonce:
        return False
    try:
        sent = bytes.fromhex(request.POST.get(FIELD, ""))
    except ValueError:
        return False
    return sealing.matches("hosted-form", _material(browser, form, sent[:NONCE]), sent[NONCE:])


def check_origin(request: HttpRequest) -> None:
    """Check that no header names another origin than the one asked, whose host the middleware found configured.

    Raises:
        FormRefused: one does.

    """
    own = origins.of(f"{'https' if request.is_secure() else 'http'}://{request.META.get('HTTP_HOST', '')}")
    origin = request.headers.get("Origin")
    if origin is not None and origins.of(origin) != own:
        raise FormRefused(detail="foreign Origin")
    referer = request.headers.get("Referer")
    if origin is None and referer is not None and origins.of(referer) != own:
        raise FormRefused(detail="foreign Referer")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise FormRefused(detail="foreign Sec-Fetch-Site")
