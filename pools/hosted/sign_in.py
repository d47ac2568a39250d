"""Signing in: name and password, or a new one in place of it. Second factors are asked for by ``second_factors``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.hosted import address_failures, providers, wording
from pools.hosted.forms import NewPasswordForm, SignInForm, policy_list
from pools.hosted.sign_up import code_page_state
from pools.services.codes import Purpose
from pools.services.people import attributes, passwords
from pools.services.pools import app_clients
from pools.services.sign_in import flows, machine
from pools.services.sign_in.machine import Challenge, Challenged, SignedIn
from pools.services.sign_up import sign_up
from pools.services.tokens import interactions
from pools.web import resend_wait
from pools.web.browser import MADE_HERE, PageState
from pools.web.page_request import BadLink, PageRequest, account_name
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from django.http import HttpResponse


@page(directory=False)
def sign_in(page_request: PageRequest) -> HttpResponse:
    """Ask for name and password."""
    if not page_request.is_form and interactions.is_to_be_noted(page_request.parameters):
        return page_request.go_on()
    if not page_request.is_form:
        return show_form(page_request, SignInForm(page_request.pool, initial={"username": expected_name(page_request)}))
    if not app_clients.has_directory(page_request.app):
        raise BadLink("no_pages")
    form = SignInForm(page_request.pool, page_request.request.POST)
    if not form.is_valid():
        return show_form(page_request, form)
    username, password = form.cleaned_data["username"], form.cleaned_data["password"]
    try:
        with address_failures.count(page_request):
            outcome = machine.begin(
                flows.by_pages(page_request.app),
                username=username,
                answers={"password": password},
                receipt=page_request.receipt,
                by=page_request.by,
            )
    except errors.UserNotConfirmed:
        return send_to_confirm(page_request, username)
    except errors.DomainError as refusal:
        form.add_refusal(wording.of_sign_in(refusal), refusal)
        if not (page_request.page_state.account or page_request.page_state.attempt_token):
            page_request.browser.keep(PageState(username))  # who goes on to another page need not type it again
        return show_form(page_request, form)
    return proceed(page_request, outcome, username=username)


def show_form(page_request: PageRequest, form: SignInForm) -> HttpResponse:
    """Show the page; somebody who is signed in already may carry on without a password, unless the app forbids it."""
    is_enough = not interactions.needs_new_sign_in(page_request.parameters) and not form.is_bound
    session = page_request.browser.signed_in_session() if is_enough else None
    return page_request.show(
        "sign_in",
        form=form.focus(),
        known=account_name(session) if session else "",
        onward=page_request.onward_url if session else "",
        can_sign_up=not page_request.pool.admin_only_sign_up and interactions.is_for_anybody(page_request.parameters),
        **providers.choices(page_request),
    )


def expected_name(page_request: PageRequest) -> str:
    """Return the name to fill in: the one typed a page ago, else what the app suggests."""
    return page_request.page_state.username or page_request.parameters.get("login_hint", "")[:256]


def send_to_confirm(page_request: PageRequest, username: str) -> HttpResponse:
    """Send a new code to an account that was never confirmed; its password was right."""
    try:
        code_request = resend_wait.request_code(
            page_request.page_state,
            username,
            Purpose.SIGN_UP,
            lambda: sign_up.resend(page_request.app, username, receipt=page_request.receipt, by=page_request.by),
        )
    except errors.Invalid:
        return page_request.go("sign_in", PageState(username, "waiting"))  # the pool sends no codes
    return page_request.go(
        "confirm", code_page_state(username, code_request, ("confirm_first", "confirm_wait"), account=MADE_HERE)
    )


def challenge_page_state(page_request: PageRequest, challenge: str) -> PageState:
    """Return the page state, if that challenge is the one this browser was given.

    Raises:
        AttemptTokenRefused: it was given another, or none.

    """
    page_state = page_request.page_state
    if page_state.challenge != challenge or not page_state.attempt_token:
        raise errors.AttemptTokenRefused(detail="no such challenge in this browser")
    return page_state


def show_new_password(page_request: PageRequest, form: NewPasswordForm) -> HttpResponse:
    """Show the page of a new password."""
    return page_request.show(
        "new_password",
        form=form.focus(),
        username=page_request.page_state.username,
        policy=policy_list(page_request.pool),
    )


@page()
def new_password(page_request: PageRequest) -> HttpResponse:
    """Ask for a password in place of a temporary one."""
    page_state = challenge_page_state(page_request, Challenge.NEW_PASSWORD)
    if not page_request.is_form:
        form = NewPasswordForm(page_request.pool, page_state.username, page_state.required)
        return show_new_password(page_request, form)
    form = NewPasswordForm(page_request.pool, page_state.username, page_state.required, page_request.request.POST)
    form.full_clean()
    password, given = form.given("new_password"), form.attributes()
    found = chain(
        attributes.problems(page_request.pool, given, client=page_request.app),
        passwords.problems(page_request.pool, password),
    )
    if not form.add_refusals(found, wording.of_new_password):
        return show_new_password(page_request, form)
    try:
        outcome = answer_challenge(page_request, {"new_password": password, "attributes": given})
    except errors.DomainError as refusal:
        form.add_refusal(wording.of_new_password(refusal), refusal)
        return show_new_password(page_request, form)
    return proceed(page_request, outcome, username=page_state.username)


def answer_challenge(page_request: PageRequest, answers: Mapping[str, object]) -> Challenged | SignedIn:
    """Hand an answer to the machine.

    Raises:
        What the machine refuses.

    """
    return machine.respond(
        page_request.app,
        challenge=page_request.page_state.challenge,
        attempt_token=page_request.page_state.attempt_token,
        answers=answers,
        receipt=page_request.receipt,
        by=page_request.by,
    )
