"""What the pages say and show of an authenticator app: QR code, key and link of a pending seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import segno
from django.utils.safestring import mark_safe

from identity.foundation import names
from pools.hosted import wording
from pools.services.sign_in.factors import totp

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from pools.models.hot import Person
    from pools.web.browser import PageState
    from pools.web.page_request import PageRequest

kind = totp.kind
words = wording.AUTHENTICATOR
set_up_notice = "mfa_on"
removed_notice = "mfa_off"
GROUP = 4


def lacks(person: Person) -> list[str]:
    """Return nothing: the seed is all it takes."""
    del person
    return []


def sent_to(person: Person) -> str:
    """Return nothing: the app makes its codes."""
    del person
    return ""


def context(page_request: PageRequest, page_state: PageState) -> dict[str, Any]:
    """Return QR code, key and link of the pending seed."""
    address = otpauth_url(page_request, page_state)
    groups = " ".join(page_state.secret[at : at + GROUP] for at in range(0, len(page_state.secret), GROUP))
    return {"otpauth": address, "qr": qr(address), "key": groups, "by_phone": is_phone(page_request)}


def moves_focus(page_request: PageRequest) -> bool:
    """Say that it does, but on a phone: the keyboard would cover what comes before the code."""
    return not is_phone(page_request)


def is_phone(page_request: PageRequest) -> bool:
    """Say whether a browser is a phone's: it cannot scan its own screen, and is where authenticator apps are."""
    headers = page_request.request.headers
    return headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in headers.get("User-Agent", "")


def otpauth_url(page_request: PageRequest, page_state: PageState) -> str:
    """Return the address that authenticator apps read (Google's Key URI format)."""
    app_name = page_request.app_name or str(urlsplit(names.issuer(page_request.pool.public_id)).hostname)
    issuer = app_name.replace(":", " ")
    label = quote(f"{issuer}:{page_state.username}", safe="@:")
    return f"otpauth://totp/{label}?" + urlencode({"secret": page_state.secret, "issuer": issuer}, quote_via=quote)


def qr(address: str) -> SafeString:
    """Return a QR code as an SVG element without a style attribute, which the CSP would drop."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, border=2, dark="#0b1412", light="#ffffff", svgclass=None, lineclass=None
    )
    # Drawn by segno from modules alone: the address is not in it as text.
    return mark_safe(drawn)  # noqa: S308
