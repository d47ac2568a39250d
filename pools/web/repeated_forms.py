"""A form that a browser sends twice is answered once: the second time with the first accepted answer.

What was accepted, and that it was only once, is the services' to see to (``receipts``). Here is what such an answer
holds: where it leads, and the cookies it sets. They are set again only where the browser is as far as it was then: one
that has the first answer, or has gone on since, keeps what it holds. The console's forms are answered so too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from django.http import HttpResponse

from pools.services import receipts

if TYPE_CHECKING:
    from django.http import HttpRequest

    from pools.models import UserPool
    from pools.services.receipts import Receipt

ATTRIBUTES = ("max-age", "path", "secure", "httponly", "samesite")
SEE_OTHER = (302, 303)


def receipt_of(request: HttpRequest, pool: UserPool, token: str, *, browser: str) -> Receipt | None:
    """Return the receipt that a form may leave, by its token and all that is filled in; None without token or nonce."""
    if not (token and browser):
        return None
    filled = sorted((name, request.POST.getlist(name)) for name in request.POST)
    form = json.dumps([request.path, token, hashlib.sha256(json.dumps(filled).encode()).hexdigest()])
    return receipts.Receipt(pool, form, browser=browser)


def answer_once(
    request: HttpRequest,
    receipt: Receipt,
    answer: Callable[[], HttpResponse],
    *,
    cookies: Iterable[str],
    browser: Callable[[HttpResponse], str],
) -> HttpResponse:
    """Return the answer to a form, or the one that the same form got before.

    ``cookies`` are those that say how far a browser is; ``browser`` returns its nonce after an answer.
    """
    held = cookie_digest(request, cookies)
    before = receipt.answer()
    if before is not None:
        return repeat(before, held)
    response = answer()
    if not receipt.committed:
        before = receipt.answer()  # the same form may have been accepted while this one was looked at
        return response if before is None else repeat(before, held)
    if response.status_code in SEE_OTHER:
        receipt.fill(pack(response, held), browser=browser(response))
    return response


def cookie_digest(request: HttpRequest, cookies: Iterable[str]) -> str:
    """Return a digest of how far a browser is, by its cookies."""
    return hashlib.sha256(json.dumps([request.COOKIES.get(name) for name in cookies]).encode()).hexdigest()


def pack(response: HttpResponse, held: str) -> bytes:
    """Return what an answer holds, and how far the browser was that got it."""
    set_anew = [
        [name, morsel.value, {key: morsel[key] for key in ATTRIBUTES if morsel[key] != ""}]
        for name, morsel in response.cookies.items()
    ]
    return json.dumps([response["Location"], held, set_anew], separators=(",", ":")).encode()


def repeat(before: bytes, held: str) -> HttpResponse:
    """Return an answer that was given before."""
    where, held_then, set_anew = json.loads(before)
    response = HttpResponse(status=303, headers={"Location": where})
    for name, value, attributes in set_anew if held == held_then else ():
        response.cookies[name] = value
        response.cookies[name].update(attributes)
    return response
