"""A forgotten password: a code to the account's address, then the code with a new password. Two pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.hosted import wording
from pools.hosted.forms import ForgotForm, ResetForm, policy_list
from pools.services.codes import Purpose
from pools.services.people import passwords
from pools.services.sign_in import flows, machine
from pools.web import notices, resend_wait
from pools.web.browser import PageState
from pools.web.page_forms import FieldError
from pools.web.page_request import PageRequest
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from django.http import HttpResponse


@page()
def forgot(page_request: PageRequest) -> HttpResponse:
    """Ask whose password it is. The answer is the same whether or not there is an account."""
    if not page_request.is_form:
        name = page_request.page_state.username or page_request.parameters.get("login_hint", "")[:256]
        return show_name_form(page_request, ForgotForm(page_request.pool, initial={"username": name}))
    form = ForgotForm(page_request.pool, page_request.request.POST)
    if not form.is_valid():
        return show_name_form(page_request, form)
    username = form.cleaned_data["username"]
    page_state = page_request.page_state
    again = page_state.username == username and Purpose.RECOVERY in page_state.codes_asked_at
    try:
        code_request = resend_wait.request_code(
            page_state,
            username,
            Purpose.RECOVERY,
            lambda: passwords.forgot(page_request.app, username, receipt=page_request.receipt, by=page_request.by),
        )
    except errors.WrongState:
        form.add_refusal(FieldError("", wording.BY_OPERATOR))
        return show_name_form(page_request, form)
    notice = ("resent" if again else "") if code_request.is_sent else "wait"
    after = PageState(
        username,
        notice,
        codes_asked_at=code_request.codes_asked_at,
        limited=code_request.limited,
        account=page_state.account,
    )
    if not code_request.is_sent and not again:
        # No code of this browser's is under way: the next page would ask for one.
        left = resend_wait.seconds_left(after, Purpose.RECOVERY)
        form.add_refusal(FieldError("", notices.no_code(left)), errors.TooManyAttempts(wait=left))
        return show_name_form(page_request, form)
    return page_request.go("confirm_forgot", after)


def show_name_form(page_request: PageRequest, form: ForgotForm) -> HttpResponse:
    """Show the page that asks whose password it is."""
    return page_request.show("forgot", form=form.focus(), progress=wording.PROGRESS["forgot"])


@page()
def confirm_forgot(page_request: PageRequest) -> HttpResponse:
    """Ask for the mailed code and a new password."""
    page_state = page_request.page_state
    if not page_request.is_form and (page_state.notice == "password_changed" or page_request.is_done):
        return page_request.go("sign_in")  # gone back to, when all is done
    if not page_request.is_form:
        suggested = page_request.request.GET.get("code", "")[:16]
        return show_form(page_request, ResetForm(page_request.pool, page_state.username, initial={"code": suggested}))
    form = ResetForm(page_request.pool, page_state.username, page_request.request.POST)
    form.full_clean()
    if not form.add_refusals(passwords.problems(page_request.pool, form.given("new_password")), wording.of_code):
        return show_form(page_request, form)
    username = form.cleaned_data["username"]
    try:
        passwords.confirm_forgot(
            page_request.app,
            username,
            code=form.cleaned_data["code"],
            password=form.cleaned_data["new_password"],
            receipt=page_request.receipt,
            by=page_request.by,
        )
    except errors.DomainError as refusal:
        form.add_refusal(wording.of_code(refusal), refusal)
        return show_form(page_request, form)
    return sign_in_by(page_request, username, form.cleaned_data["new_password"])


def sign_in_by(page_request: PageRequest, username: str, password: str) -> HttpResponse:
    """Go on with the password that was just set, in the browser that asked for the code; others sign in by it."""
    page_state = page_request.page_state
    then = PageState(username, "password_changed", account=page_state.account)
    if page_state.username != username or Purpose.RECOVERY not in page_state.codes_asked_at:
        return page_request.go("sign_in", then)
    try:
        outcome = machine.begin(
            flows.by_pages(page_request.app),
            username=username,
            answers={"password": password},
            receipt=page_request.receipt,
            by=page_request.by,
        )
    except errors.DomainError:  # the password is changed even so, and the next page says what is in the way
        return page_request.go("sign_in", then)
    return proceed(page_request, outcome, username=username)


def show_form(page_request: PageRequest, form: ResetForm) -> HttpResponse:
    """Show the page."""
    left = resend_wait.seconds_left(page_request.page_state, Purpose.RECOVERY)
    response = page_request.show(
        "confirm_forgot",
        form=form.focus(),
        username=page_request.page_state.username,
        policy=policy_list(page_request.pool),
        progress=wording.PROGRESS["confirm_forgot"],
        resend_in=left,
        notice=resend_wait.notice(page_request.page_state, left),
    )
    return resend_wait.set_retry_after(response, left)
