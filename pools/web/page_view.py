"""What stands round every page: it guards the form, answers a duplicate alike, explains what stops, keeps cookies."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import structlog
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from identity.foundation import errors
from pools.services import receipts
from pools.services.triggers import TriggerUnavailable
from pools.web import cookie_limit, form_guard, problem_pages, repeated_forms, sign_in_outcomes
from pools.web.page_request import BadLink, PageRequest, SeeOther

log = structlog.get_logger("hosted")
BUSY_SECONDS = 2

Page = Callable[[PageRequest], HttpResponse]


def page(
    *,
    app: bool = True,
    methods: tuple[str, ...] = ("GET", "HEAD", "POST"),
    one_time: bool = True,
    form_on: str = "",
    directory: bool = True,
    pages: bool = True,
) -> Callable[[Page], Callable[..., HttpResponse]]:
    """Make a view of a page: read the request, guard its form, turn what goes wrong into a page, write the cookies.

    A form that is accepted is so one time, and its duplicate gets the same answer, unless it changes nothing.
    ``form_on`` names the page that has the form, where this one shows nothing itself. One for people of the pool's own
    ``directory`` does not open for an app to which others come alone; one that is no part of signing in opens for apps
    without ``pages`` too.
    """

    def as_view(inner: Page) -> Callable[..., HttpResponse]:
        @wraps(inner)
        def view(request: HttpRequest) -> HttpResponse:
            if request.method not in methods:
                response = problem_pages.show(request, "method", status=405)
                response["Allow"] = ", ".join(methods)
                return response
            try:
                page_request = PageRequest(
                    request, needs_app=app, needs_pages=pages, form_on=form_on, directory=directory
                )
            except errors.PoolNotFound:
                return problem_pages.show(request, "not_found", status=404)
            except BadLink as stopped:
                return problem_pages.show(request, stopped.kind, status=400, mismatch=stopped.mismatch)
            except SuspiciousOperation:
                return problem_pages.show(request, "invalid_request", status=400)
            if request.method == "HEAD":
                return run(
                    inner, page_request
                )  # a look: no page state is changed, no notice read, and no older pool sent out
            return (
                answer_form(inner, page_request, one_time=one_time)
                if request.method == "POST"
                else run_and_write_cookies(inner, page_request)
            )

        view.judges_charset = True  # type: ignore[attr-defined]  # with a page of its own
        view.csrf_exempt = True  # type: ignore[attr-defined]  # guarded by pools.web.form_guard
        view.takes_forms = one_time and "POST" in methods  # type: ignore[attr-defined]
        return view

    return as_view


def answer_form(inner: Page, page_request: PageRequest, *, one_time: bool) -> HttpResponse:
    """Answer a form of ours, and its duplicate as the first of them."""
    request, browser = page_request.request, page_request.browser
    refused = refuse_others(page_request)
    if refused is not None:
        return refused
    if one_time:
        token = request.POST.get(form_guard.FIELD, "")
        page_request.receipt = repeated_forms.receipt_of(request, page_request.pool, token, browser=browser.nonce)
    elif not form_guard.was_shown(request, browser, page_request.name):
        return refuse_form(page_request, "a form that has no page")
    if page_request.receipt is None:
        return run_and_write_cookies(inner, page_request)
    return repeated_forms.answer_once(
        request,
        page_request.receipt,
        lambda: run_and_write_cookies(inner, page_request),
        cookies=browser.cookies,
        browser=lambda _: browser.nonce,
    )


def refuse_others(page_request: PageRequest) -> HttpResponse | None:
    """Return the answer to a form that another site sent, or that cannot be read; None for one that may be ours."""
    try:
        if getattr(page_request.request, "is_in_another_charset", False):
            # Our pages send nothing else, and another charset can spell what is no text.
            return page_request.problem("invalid_request")
        form_guard.check_origin(page_request.request)
        page_request.request.POST  # noqa: B018 - read here
    except form_guard.FormRefused as refused:
        return refuse_form(page_request, refused.detail)
    except (SuspiciousOperation, UnreadablePostError) as unreadable:
        log.info("form_unreadable", why=type(unreadable).__name__)
        return page_request.problem("invalid_request")
    return None


def refuse_form(page_request: PageRequest, why: str) -> HttpResponse:
    """Refuse a form that is not ours."""
    log.info("form_refused", page=page_request.name, why=why)
    return page_request.problem("form_refused", status=403)


def run_and_write_cookies(inner: Page, page_request: PageRequest) -> HttpResponse:
    """Return the answer of a page with the cookies it sets."""
    return cookie_limit.enforce(page_request, page_request.browser.write_cookies(run(inner, page_request)))


def run(inner: Page, page_request: PageRequest) -> HttpResponse:
    """Run the page, as if it had only been opened where its form is an old one, and explain what stops it."""
    name, method = page_request.name, page_request.request.method
    try:
        if method == "POST" and not form_guard.was_shown(page_request.request, page_request.browser, name):
            log.info("form_stale", page=name)
            if page_request.form_on:
                return SeeOther(page_request.own_url)
            page_request.is_stale, page_request.request.method = True, "GET"
        return inner(page_request)
    except (SuspiciousOperation, UnreadablePostError) as unreadable:
        log.info("form_unreadable", why=type(unreadable).__name__)
        return page_request.problem("invalid_request")
    except errors.DomainError as refused:
        return explain(page_request, refused)
    finally:
        page_request.request.method = method


def explain(page_request: PageRequest, refused: errors.DomainError) -> HttpResponse:
    """Explain what stopped a page, or lead to one from which it goes on."""
    match refused:
        case errors.Overloaded():
            return page_request.problem("busy", status=429, retry_after=max(refused.retry_after, BUSY_SECONDS))
        case TriggerUnavailable():
            log.warning("trigger_not_called", pool=page_request.pool.public_id, trigger=refused.parameters["trigger"])
            return page_request.problem("no_trigger")
        case BadLink():
            return page_request.problem(refused.kind)
        case errors.AttemptTokenRefused() | errors.InteractionExpired():
            return sign_in_outcomes.go_back(page_request)
        case receipts.AlreadyAccepted():
            return SeeOther(page_request.own_url)  # what its duplicate was answered never came to be known
    # No page has words for it: the person starts again, and the log says what a page is missing.
    log.warning("refusal_without_words", page=page_request.name, what=type(refused).__name__, why=refused.detail)
    return page_request.problem("refused")
