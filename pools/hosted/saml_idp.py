"""Addresses of a pool as a SAML identity provider: its metadata, and where applications have people signed in and out.

Reads how messages travel, and nothing of what they say. Somebody who has to sign in first does so on the pages of every
app, which carry the request along.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from identity.foundation import errors
from pools.ports import BrowserMessage, PostedForm, RequestUnfulfilled
from pools.ports import saml as statuses
from pools.services.pools import app_clients
from pools.services.providers import saml_applications, saml_logouts, saml_sign_ins
from pools.services.tokens.interactions import Kind
from pools.web import consent, problem_pages, request_context, resume
from pools.web.consent import Answer
from pools.web.page_request import PageRequest, SeeOther
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpRequest

    from pools.models.hot import BrowserSession
    from pools.services.providers.saml_sign_ins import Asked

METADATA = "application/samlmetadata+xml"
BEGINS_HERE, RELAY_STATE = "entity_id", "RelayState"
"""Parameters of a sign-in that begins at the pool: at which application, and where that leads people."""


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Tell applications what the pool is called, where it takes messages, and by which key (SAML metadata 2.4.3)."""
    try:
        document = saml_applications.introduction(request_context.pool_of(request))
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=HTTPStatus.NOT_FOUND)
    response = HttpResponse(document, content_type=METADATA)
    response["Cache-Control"] = "public, max-age=300"
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def sign_on(request: HttpRequest) -> HttpResponse:
    """Take an application's request, or begin a sign-in at one here; the browser goes on with its cookies."""
    try:
        pool, by = request_context.pool_of(request), request_context.visitor(request)
        if request.method != "POST" and BEGINS_HERE in request.GET:
            entity_id, relay_state = (str(request.GET.get(name, "")) for name in (BEGINS_HERE, RELAY_STATE))
            carried: dict[str, str] | PostedForm = saml_sign_ins.begin_here(pool, entity_id, relay_state, by=by)
        else:
            carried = saml_sign_ins.receive(pool, message_of(request), by=by)
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=HTTPStatus.NOT_FOUND)
    except errors.LoginRefused:
        return problem_pages.show(request, "application_refused", status=HTTPStatus.BAD_REQUEST)
    if isinstance(carried, PostedForm):
        return show_answer(request, carried)
    # A form of another site brings no Lax cookie: the navigation after it does.
    return SeeOther(resume.url(Kind.SAML_REQUEST, urlencode(carried)))


sign_on.judges_charset = True  # type: ignore[attr-defined]  # whatever it is, it is no message


@page(methods=("GET", "HEAD"), directory=False)
def go_on(page_request: PageRequest) -> HttpResponse:
    """Answer a request that our pages carried, or have somebody sign in first."""
    pool, session = page_request.pool, page_request.browser.signed_in_session()
    if page_request.request.method == "HEAD":
        return page_request.problem("provider_expired")
    try:
        asked = saml_sign_ins.read(pool, page_request.parameters)
    except errors.InteractionExpired:
        return page_request.problem("provider_expired")
    try:
        if saml_sign_ins.needs_sign_in(asked, session) or session is None:
            return SeeOther(resume.sign_in_url(page_request.parameters))
        if must_ask_for_consent(page_request, asked, session):
            return SeeOther(f"{reverse('hosted:consent')}?{urlencode(page_request.parameters)}")
        answer = saml_sign_ins.answer(pool, asked, session, by=page_request.by_user(session))
    except errors.InteractionExpired:
        return page_request.problem("provider_expired")
    except RequestUnfulfilled as refusal:
        answer = saml_sign_ins.refuse(pool, asked.application, refusal, by=page_request.by)
    return show_answer(page_request.request, answer, app_name=page_request.app_name)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out whom an application signed out, and tell the others; or go on with somebody who was signed out there."""
    try:
        pool = request_context.pool_of(request)
        onward = saml_logouts.receive(pool, message_of(request), by=request_context.visitor(request))
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=HTTPStatus.NOT_FOUND)
    except errors.InteractionExpired:
        return SeeOther(reverse("hosted:signed_out"))
    except errors.LoginRefused:
        return problem_pages.show(request, "application_refused", status=HTTPStatus.BAD_REQUEST)
    return SeeOther(onward or reverse("hosted:signed_out"))


sign_out.judges_charset = True  # type: ignore[attr-defined]  # whatever it is, it is no message


def must_ask_for_consent(page_request: PageRequest, asked: Asked, session: BrowserSession) -> bool:
    """Say whether the person has still to agree that the app gets what it asks for.

    Raises:
        RequestUnfulfilled: they declined, or may be shown no page.

    """
    if not app_clients.asks_consent(page_request.app):
        return False
    answer = consent.answer_to(page_request.pool, session, page_request.parameters)
    if answer is Answer.DECLINED:
        raise saml_sign_ins.unfulfilled(asked.request, statuses.REQUEST_DENIED)
    if answer is None and asked.request.is_passive:
        raise saml_sign_ins.unfulfilled(asked.request, statuses.NO_PASSIVE)
    return answer is None


def message_of(request: HttpRequest) -> BrowserMessage:
    """Return what a browser brought, by redirect or by form."""
    return BrowserMessage(
        request.META.get("QUERY_STRING", ""), {name: str(request.POST[name]) for name in request.POST}
    )


def show_answer(request: HttpRequest, answer: PostedForm, *, app_name: str = "") -> HttpResponse:
    """Show a form that a browser posts to an application at once; who has no script sends it by its button."""
    return render(request, "hosted/saml_answer.html", {"answer": answer, "app_name": app_name})
