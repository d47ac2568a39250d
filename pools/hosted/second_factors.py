"""Second factors at sign-in: which one, where somebody has several and prefers none, and its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.hosted import address_failures, factor_pages, wording
from pools.hosted.forms import CodeForm
from pools.hosted.sign_in import answer_challenge, challenge_page_state
from pools.services.codes import Purpose
from pools.services.sign_in import machine
from pools.services.sign_in.machine import Challenge
from pools.web import form_guard, resend_wait
from pools.web.page_forms import PageForm
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.web.browser import PageState
    from pools.web.page_request import PageRequest

AGAIN = "again"
"""What the button sends that asks for another code."""
OTHER = "other"
"""The field in which a button sends which other second factor is asked for instead."""


@page(directory=False)
def second_factor(page_request: PageRequest) -> HttpResponse:
    """Ask for the code of a second factor: page, template and challenge are called by its kind."""
    page_state = challenge_page_state(page_request, page_request.name)
    if not page_request.is_form:
        return show_code_form(page_request, CodeForm())
    if page_request.request.POST.get("action") == AGAIN and page_state.sent_to:
        return send_again(page_request, page_state)
    if OTHER in page_request.request.POST:
        return ask_another(page_request, page_request.request.POST[OTHER])
    form = CodeForm(page_request.request.POST)
    if not form.is_valid():
        return show_code_form(page_request, form)
    try:
        with address_failures.count(page_request):
            outcome = answer_challenge(page_request, {"code": form.cleaned_data["code"]})
    except errors.DomainError as refusal:
        form.add_refusal(wording.of_second_factor(refusal), refusal)
        return show_code_form(page_request, form)
    return proceed(page_request, outcome, username=page_state.username)


def send_again(page_request: PageRequest, page_state: PageState) -> HttpResponse:
    """Have another code sent, once this browser has waited for it."""
    code_request = resend_wait.request_code(
        page_state,
        page_state.username,
        Purpose.SECOND_FACTOR,
        lambda: machine.ask_again(
            page_request.app, page_state.attempt_token, receipt=page_request.receipt, by=page_request.by
        ),
    )
    return page_request.go(page_request.name, resend_wait.keep(page_state, code_request, sent="resent"))


def ask_another(page_request: PageRequest, kind: str) -> HttpResponse:
    """Ask for another of somebody's second factors, whichever they prefer."""
    page_state, form = page_request.page_state, CodeForm(page_request.request.POST)
    try:
        outcome = machine.ask_another(
            page_request.app, page_state.attempt_token, kind, receipt=page_request.receipt, by=page_request.by
        )
    except errors.DomainError as refusal:
        form.errors.pop("code", None)  # nobody was to enter it
        form.add_refusal(wording.of_factor_choice(refusal), refusal)
        return show_code_form(page_request, form)
    return proceed(page_request, outcome, username=page_state.username)


def show_code_form(page_request: PageRequest, form: CodeForm) -> HttpResponse:
    """Show the page of the code; of one that was sent, where to, and when another may be asked for."""
    page_state = page_request.page_state
    left = resend_wait.seconds_left(page_state, Purpose.SECOND_FACTOR) if page_state.sent_to else 0
    response = page_request.show(
        page_state.challenge,
        form=form.focus(),
        username=page_state.username,
        sent_to=page_state.sent_to,
        action=page_request.url(page_request.name),
        token=form_guard.token(page_request.browser, page_request.name),
        others=[factor_pages.of(kind) for kind in page_state.kinds],
        resend_in=left,
        notice=resend_wait.notice(page_state, left),
        progress=wording.PROGRESS["second_factor"],
    )
    return resend_wait.set_retry_after(response, left)


@page(directory=False)
def factor_choice(page_request: PageRequest) -> HttpResponse:
    """Ask which second factor somebody wants to show; what is none of theirs is asked again."""
    page_state = challenge_page_state(page_request, Challenge.FACTOR_CHOICE)
    form = PageForm(page_request.request.POST if page_request.is_form else None)
    if form.is_bound:
        try:
            outcome = answer_challenge(page_request, {"factor": page_request.request.POST.get("factor", "")})
        except errors.DomainError as refusal:
            form.add_refusal(wording.of_factor_choice(refusal), refusal)
        else:
            return proceed(page_request, outcome, username=page_state.username)
    return page_request.show(
        "factor_choice",
        form=form,
        choices=[factor_pages.of(kind) for kind in page_state.kinds],
        progress=wording.PROGRESS["second_factor"],
    )
