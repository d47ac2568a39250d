"""Addresses of a pool as a SAML service provider: where responses and logout messages are brought, and its metadata.

Reads how the messages travel, and nothing of what they say: that is the provider's kind's. Pages that follow are those
of every provider.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from identity.foundation import errors, limits
from pools.hosted import providers
from pools.ports import SignOutMessage
from pools.services.providers import introductions, saml_logouts, sign_outs, trial, trips, unasked
from pools.web import problem_pages, request_context
from pools.web.page_request import PageRequest, SeeOther
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpRequest

KIND = "SAML"
METADATA = "application/samlmetadata+xml"
LANDING = "landing"
LONGEST = 512 * 1024
"""Characters of a response that are kept: twice what is read of one."""


@csrf_exempt
def answer(request: HttpRequest) -> HttpResponse:
    """Take a response that a provider's page posts, which brings no cookies: asked for, or by itself."""
    if request.method != "POST":
        return take_unasked(request)
    state = str(request.POST.get("RelayState", ""))
    given = {"SAMLResponse": str(request.POST.get("SAMLResponse", ""))[:LONGEST], "state": state}
    led = providers.lead_on(request, given, trial.land)
    if led is not None:
        return led
    try:
        pool = request_context.pool_of(request)
        if trips.is_state(pool, state):
            return SeeOther(trips.land(pool, state, given))
        by = request_context.visitor(request)
        if not limits.take("provider-landings", by.address, limit=providers.TRIPS, window=providers.WINDOW):
            return problem_pages.show(request, "busy", status=HTTPStatus.TOO_MANY_REQUESTS)
        landing = unasked.land(pool, KIND, state, given)
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=HTTPStatus.NOT_FOUND)
    except errors.InteractionExpired:
        return problem_pages.show(request, "provider_expired", status=HTTPStatus.BAD_REQUEST)
    return SeeOther(f"{reverse('hosted:saml_answer')}?{urlencode({LANDING: landing})}")


answer.judges_charset = True  # type: ignore[attr-defined]  # whatever it is, it is no answer of ours


@page(app=False, methods=("GET", "HEAD"), directory=False)
def take_unasked(page_request: PageRequest) -> HttpResponse:
    """Go on with somebody whom a provider sent by itself, in their browser's own request."""
    landing = str(page_request.request.GET.get(LANDING, ""))
    if page_request.request.method == "HEAD" or not landing:
        return page_request.problem("provider_expired")
    try:
        trip, given = unasked.end(page_request.pool, KIND, landing)
    except errors.InteractionExpired:
        return page_request.problem("provider_expired")
    return providers.arrive(page_request, trip, given)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """Go on with somebody who signed out at a provider; or end here what a provider says has ended there."""
    message = SignOutMessage(
        request.META.get("QUERY_STRING", ""), {name: str(request.POST[name]) for name in request.POST}
    )
    try:
        pool = request_context.pool_of(request)
        by = request_context.visitor(request)
        onward = sign_outs.come_back(pool, KIND, message, by=by)
        if onward is None:
            ended = sign_outs.end(pool, KIND, message, by=by)
            onward = saml_logouts.tell(pool, ended.sessions, onward=ended.onward)
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=HTTPStatus.NOT_FOUND)
    except errors.InteractionExpired:
        return SeeOther(reverse("hosted:signed_out"))
    except errors.LoginRefused:
        return problem_pages.show(request, "provider_sign_out_refused", status=HTTPStatus.BAD_REQUEST)
    return SeeOther(onward or reverse("hosted:signed_out"))


sign_out.judges_charset = True  # type: ignore[attr-defined]  # whatever it is, it is no message


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Tell providers what the pool is called, where it takes messages, and by which keys (SAML metadata 2.4.4)."""
    try:
        document = introductions.of(request_context.pool_of(request), KIND)
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=HTTPStatus.NOT_FOUND)
    response = HttpResponse(document, content_type=METADATA)
    response["Cache-Control"] = "public, max-age=300"
    return response
