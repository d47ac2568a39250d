"""Signing up: the form, the mailed code, sending it again. Whether an address has an account already is not said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from identity.foundation import clock, errors
from pools.hosted import wording
from pools.hosted.forms import NamedCodeForm, SignUpForm, policy_list
from pools.services.codes import Purpose
from pools.services.people import passwords
from pools.services.pools import user_pools
from pools.services.sign_in import chosen_passwords, machine
from pools.services.sign_up import sign_up as accounts
from pools.web import resend_wait
from pools.web.browser import MADE_BEFORE, MADE_HERE, PageState
from pools.web.page_request import PageRequest
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.services.messages.destinations import Delivery
    from pools.web.resend_wait import CodeRequest


@page()
def sign_up(page_request: PageRequest) -> HttpResponse:
    """Ask for a name, what the pool requires, and a password."""
    if page_request.pool.admin_only_sign_up:
        return page_request.problem("closed", status=403)
    schema = user_pools.schema_attributes(page_request.pool)
    if not page_request.is_form:
        name = page_request.page_state.username or page_request.parameters.get("login_hint", "")[:256]
        return show_form(
            page_request,
            SignUpForm(page_request.pool, schema, initial={**page_request.page_state.typed, "username": name}),
        )
    form = SignUpForm(page_request.pool, schema, page_request.request.POST)
    form.full_clean()
    username, password, attributes = form.given("username"), form.given("password"), form.attributes()
    found = accounts.problems(page_request.app, username, password=password, attributes=attributes)
    if not form.add_refusals(found, wording.of_sign_up):
        return show_form(page_request, form)
    try:
        done = accounts.sign_up(
            page_request.app,
            username,
            password=password,
            attributes=attributes,
            tell_owner=True,
            receipt=page_request.receipt,
            instead_of=page_request.page_state.proof if is_change(page_request) else "",
            by=page_request.by,
        )
    except errors.DomainError as refusal:
        if isinstance(refusal, errors.AlreadyExists) and page_request.pool.username_attributes:
            # The name is an address: whoever reads its mail learns more. A new account would have cost a hash, so this
            # costs one, and leads to where a new one would. (What it does not hide: docs/security-model.md.)
            passwords.hashed(page_request.pool, username, password)
            code_request = resend_wait.request_code(
                page_request.page_state,
                username,
                Purpose.SIGN_UP,
                lambda: accounts.remind(page_request.app, username, receipt=page_request.receipt, by=page_request.by),
            )
            limited = code_request.limited.get(Purpose.SIGN_UP, 0) - clock.epoch()
            if code_request.is_sent or limited <= 0:
                delivery = accounts.would_be_sent(page_request.pool, username, attributes)
                return go_to_code(
                    page_request,
                    form,
                    delivery,
                    MADE_BEFORE,
                    code_request,
                    chosen_passwords.make_dummy(page_request.app),
                )
            refusal = errors.TooManyAttempts(wait=limited)
        form.add_refusal(wording.of_sign_up(refusal), refusal)
        return show_form(page_request, form)
    if done.confirmed:
        return page_request.go("sign_in", PageState(username, "created", account=MADE_HERE))
    code_request = resend_wait.after_sending(page_request.page_state, username, Purpose.SIGN_UP)
    return go_to_code(page_request, form, done.delivery, MADE_HERE, code_request, done.proof)


def is_change(page_request: PageRequest) -> bool:
    """Say whether somebody mends the address of the account that this browser made just now."""
    request = page_request.request
    return "change" in (request.POST if page_request.is_form else request.GET) and bool(page_request.page_state.proof)


def go_to_code(
    page_request: PageRequest,
    form: SignUpForm,
    delivery: Delivery | None,
    account: str,
    code_request: CodeRequest,
    proof: str,
) -> HttpResponse:
    """Go where an account that waits leads: to its code, or on where none was sent.

    The address is shown in full: this browser typed it.
    """
    username, typed = form.cleaned_data["username"], form.attributes()
    if delivery is None:
        return page_request.go("sign_in", PageState(username, "waiting"))
    sent_to = (
        username if page_request.pool.username_attributes else typed.get(delivery.attribute) or delivery.destination
    )
    page_state = code_page_state(username, code_request, ("", "wait"), sent_to=sent_to, account=account, proof=proof)
    return page_request.go("confirm", replace(page_state, typed=typed))


def code_page_state(
    username: str,
    code_request: CodeRequest,
    notices: tuple[str, str],
    *,
    sent_to: str = "",
    account: str,
    proof: str = "",
) -> PageState:
    """Return the page state of somebody who looks for a code, with the notice for one just sent, or for none."""
    notice = notices[0] if code_request.is_sent else notices[1]
    return PageState(
        username,
        notice,
        sent_to=sent_to,
        codes_asked_at=code_request.codes_asked_at,
        limited=code_request.limited,
        account=account,
        proof=proof,
    )


def show_form(page_request: PageRequest, form: SignUpForm) -> HttpResponse:
    """Show the page."""
    return page_request.show(
        "sign_up",
        form=form.focus(),
        policy=policy_list(page_request.pool),
        progress=wording.PROGRESS["sign_up"],
        is_change=is_change(page_request),
    )


@page()
def confirm(page_request: PageRequest) -> HttpResponse:
    """Ask for the mailed code. A code in the address is only filled in: mail scanners open links."""
    page_state = page_request.page_state
    if not page_request.is_form and (page_state.notice == "confirmed" or page_request.is_done):
        return page_request.go("sign_in")  # gone back to, when all is done
    if not page_request.is_form:
        suggested = page_request.request.GET.get("code", "")[:16]
        return show_code_form(
            page_request, NamedCodeForm(page_request.pool, page_state.username, initial={"code": suggested})
        )
    form = NamedCodeForm(page_request.pool, page_state.username, page_request.request.POST)
    if not confirm_by_code(page_request, form):
        return show_code_form(page_request, form)
    username = form.cleaned_data["username"]
    if not page_request.browser.has_made(username):
        return send_to_choose_password(page_request, username)
    try:
        outcome = machine.begin_confirmed(
            page_request.app,
            username=username,
            proof=page_request.browser.proof_of(username),
            receipt=page_request.receipt,
            by=page_request.by,
        )
    except errors.DomainError:  # the account is confirmed even so, and the next page says what is in the way
        return page_request.go("sign_in", PageState(username=username, notice="confirmed", account=MADE_HERE))
    return proceed(page_request, outcome, username=username)


def confirm_by_code(page_request: PageRequest, form: NamedCodeForm) -> bool:
    """Confirm the account that a form names, if its code is right; else say in the form what is wrong.

    The password stays where this browser chose it, and for an app without pages, where no other could be chosen.
    """
    if not form.is_valid():
        return False
    username, code = form.cleaned_data["username"], form.cleaned_data["code"]
    try:
        accounts.confirm(
            page_request.app,
            username,
            code=code,
            keep_password=not page_request.has_pages or page_request.browser.has_made(username),
            receipt=page_request.receipt,
            by=page_request.by,
        )
    except errors.DomainError as refusal:
        form.add_refusal(wording.of_code(refusal), refusal)
        return False
    return True


def send_to_choose_password(page_request: PageRequest, username: str) -> HttpResponse:
    """Have a password set for an account that was not made here.

    Whoever made it chose the password that is gone now, and may not have been the owner of the address.
    """
    try:
        code_request = resend_wait.request_code(
            page_request.page_state,
            username,
            Purpose.RECOVERY,
            lambda: passwords.forgot(page_request.app, username, by=page_request.by),
        )
    except errors.WrongState:
        return page_request.go(
            "sign_in", PageState(username, "ask_operator")
        )  # the pool's people may not recover by themselves
    return page_request.go(
        "confirm_forgot", code_page_state(username, code_request, ("choose_again", "choose_wait"), account=MADE_HERE)
    )


@page(methods=("GET", "HEAD"), pages=False)
def confirm_link(page_request: PageRequest) -> HttpResponse:
    """Open the link of a mail: name and code are filled in, and a person presses the button."""
    name = page_request.request.GET.get("user_name", "")[:2048]
    code = page_request.request.GET.get("confirmation_code", "")[:16]
    if not page_request.has_pages:
        return open_only_page(page_request, name, code)
    account, proof = (
        MADE_HERE if page_request.browser.has_made(name) else MADE_BEFORE,
        page_request.browser.proof_of(name),
    )
    page_request.browser.keep(PageState(username=name, account=account, proof=proof))
    return show_code_form(page_request, NamedCodeForm(page_request.pool, name, initial={"code": code}), is_link=True)


def show_code_form(page_request: PageRequest, form: NamedCodeForm, **context: Any) -> HttpResponse:
    """Show the page of the code."""
    page_state = page_request.page_state
    left = resend_wait.seconds_left(page_state, Purpose.SIGN_UP)
    response = page_request.show(
        "confirm",
        form=form.focus(),
        sent_to=page_state.sent_to,
        username=page_state.username,
        progress=wording.PROGRESS["confirm"],
        resend_in=left,
        notice=resend_wait.notice(page_state, left),
        change=f"{page_request.url('sign_up')}&change=1" if page_state.proof and page_request.query else "",
        **context,
    )
    return resend_wait.set_retry_after(response, left)


def open_only_page(page_request: PageRequest, name: str, code: str) -> HttpResponse:
    """Show the one page of an app whose people sign in in the app itself: the button, or that all is done."""
    page_state = page_request.page_state
    if page_state.notice == "confirmed" and name in ("", page_state.username):
        return page_request.show("confirmed")
    name = name or page_state.username
    page_request.browser.keep(PageState(username=name))
    return show_only_form(page_request, NamedCodeForm(page_request.pool, name, initial={"code": code}))


@page(methods=("POST",), form_on="confirm_link", pages=False)
def confirm_only(page_request: PageRequest) -> HttpResponse:
    """Confirm an account of such an app."""
    form = NamedCodeForm(page_request.pool, page_request.page_state.username, page_request.request.POST)
    if not confirm_by_code(page_request, form):
        return show_only_form(page_request, form)
    return page_request.go("confirm_link", PageState(form.cleaned_data["username"], "confirmed"))


def show_only_form(page_request: PageRequest, form: NamedCodeForm) -> HttpResponse:
    """Show the button, with whose account it confirms."""
    return page_request.show("confirm_only", form=form.focus())


@page(methods=("POST",), form_on="confirm")
def resend(page_request: PageRequest) -> HttpResponse:
    """Send the code again. Whether one goes out, and when the next may, is said alike of every name."""
    page_state = page_request.page_state
    username = page_state.username
    if not username:
        return page_request.go("sign_in")  # who signs in and has not confirmed yet is sent one
    try:
        code_request = resend_wait.request_code(
            page_state,
            username,
            Purpose.SIGN_UP,
            lambda: accounts.resend(page_request.app, username, receipt=page_request.receipt, by=page_request.by),
        )
    except errors.Invalid:
        return page_request.go("sign_in", PageState(username, "waiting"))  # the pool sends no codes
    account = page_state.account or MADE_BEFORE
    again = code_page_state(
        username, code_request, ("resent", "wait"), sent_to=page_state.sent_to, account=account, proof=page_state.proof
    )
    again = replace(again, typed=page_state.typed)
    return page_request.go("confirm", again)
