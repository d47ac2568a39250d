"""The console's forms that are sent twice: the second is answered as the first was (``pools.web.repeated_forms``).

Each page that is shown masks Django's CSRF token anew, so that it names the form as well as the browser, whose cookie
is the nonce. The answers hold what Django's middleware sets: session, token, and what the next page tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from pools.services.operators.operator_sign_in import INSTALLATION
from pools.services.receipts import Receipt
from pools.web import repeated_forms

FIELD = "csrfmiddlewaretoken"
COOKIES = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages")
WITHOUT_PAGE = {
    "sign_out": "pools",
    "check_provider": "provider",
    "try_provider": "provider",
    "tried_provider": "provider",
}
"""What is no page to be filled in, and the page that has its button."""


def of(request: HttpRequest) -> Receipt | None:
    """Return what a service keeps with the change that it accepts of this form."""
    return getattr(request, "receipt", None)


def answer_once(request: HttpRequest, respond: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """Answer a request; a form of the console that was accepted before, as it was then."""
    nonce = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    if request.method != "POST" or not request.path_info.startswith("/console/"):
        return respond(request)
    receipt = repeated_forms.receipt_of(request, INSTALLATION, request.POST.get(FIELD, ""), browser=nonce)
    if receipt is None:
        return respond(request)
    request.receipt = receipt  # type: ignore[attr-defined]

    def nonce_after(response: HttpResponse) -> str:
        set_anew = response.cookies.get(settings.CSRF_COOKIE_NAME)
        return set_anew.value if set_anew is not None else nonce

    return repeated_forms.answer_once(request, receipt, lambda: respond(request), cookies=COOKIES, browser=nonce_after)


def own_page(request: HttpRequest) -> str:
    """Return the address of the page that has the form that was sent."""
    match = request.resolver_match
    if match is None or match.url_name not in WITHOUT_PAGE:
        return request.get_full_path()
    return reverse(f"console:{WITHOUT_PAGE[match.url_name]}", kwargs=match.kwargs)


def show_again(request: HttpRequest) -> HttpResponse | None:
    """Show the page of a form that was not looked at, filled in but for codes and passwords; None where it has none."""
    match = request.resolver_match
    if match is None or match.url_name in WITHOUT_PAGE:
        return None
    typed = request.POST.copy()
    for secret in (FIELD, "code"):  # password fields never show what they are given
        typed.pop(secret, None)
    request.POST, request.method = typed, "GET"  # type: ignore[assignment]
    try:
        return cast("HttpResponse", match.func(request, *match.args, **match.kwargs))
    finally:
        request.method = "POST"
