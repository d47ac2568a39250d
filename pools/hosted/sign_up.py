"""Signing up: the form, the mailed code, sending it again. Whether an address has an account already is not said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from identity.foundation import clock, errors
from pools.hosted import waits, wording
from pools.hosted.browser import FRESH, PRIOR, Step
from pools.hosted.forms import NamedCodeForm, SignUpForm, policy_list
from pools.hosted.outcomes import proceed
from pools.hosted.visit import Visit, page
from pools.services.codes import Purpose
from pools.services.people import passwords
from pools.services.pools import user_pools
from pools.services.sign_in import machine, password_proofs
from pools.services.sign_up import sign_up as accounts

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.hosted.waits import Asked
    from pools.services.messages.destinations import Delivery


@page()
def sign_up(visit: Visit) -> HttpResponse:
    """Ask for a name, what the pool requires, and a password."""
    if visit.pool.admin_only_sign_up:
        return visit.problem("closed", status=403)
    schema = user_pools.schema_attributes(visit.pool)
    if visit.request.method != "POST":
        name = visit.step.username or visit.asked.get("login_hint", "")[:256]
        return shown(visit, SignUpForm(visit.pool, schema, initial={**visit.step.typed, "username": name}))
    form = SignUpForm(visit.pool, schema, visit.request.POST)
    form.full_clean()
    username, password, attributes = form.given("username"), form.given("password"), form.attributes()
    found = accounts.problems(visit.app, username, password=password, attributes=attributes)
    if not form.judge(found, wording.of_sign_up):
        return shown(visit, form)
    try:
        done = accounts.sign_up(
            visit.app,
            username,
            password=password,
            attributes=attributes,
            tell_owner=True,
            receipt=visit.receipt,
            instead_of=visit.step.proof if is_change(visit) else "",
            by=visit.by,
        )
    except errors.DomainError as problem:
        if isinstance(problem, errors.AlreadyExists) and visit.pool.username_attributes:
            # The name is an address: whoever reads its mail learns more. A new account would have cost a hash, so this
            # costs one, and leads to where a new one would. (What it does not hide: docs/security-model.md.)
            passwords.hashed(visit.pool, username, password)
            asked = waits.ask(
                visit.step,
                username,
                Purpose.SIGN_UP,
                lambda: accounts.remind(visit.app, username, receipt=visit.receipt, by=visit.by),
            )
            limited = asked.limited.get(Purpose.SIGN_UP, 0) - clock.epoch()
            if asked.is_sent or limited <= 0:
                delivery = accounts.would_be_sent(visit.pool, username, attributes)
                return led_on(visit, form, delivery, PRIOR, asked, password_proofs.of_nobody(visit.app))
            problem = errors.TooManyAttempts(wait=limited)
        form.tell(wording.of_sign_up(problem), problem)
        return shown(visit, form)
    if done.confirmed:
        return visit.go("sign_in", Step(username, "created", account=FRESH))
    asked = waits.sent(visit.step, username, Purpose.SIGN_UP)
    return led_on(visit, form, done.delivery, FRESH, asked, done.proof)


def is_change(visit: Visit) -> bool:
    """Say whether somebody mends the address of the account that this browser made just now."""
    request = visit.request
    return "change" in (request.POST if request.method == "POST" else request.GET) and bool(visit.step.proof)


def led_on(
    visit: Visit, form: SignUpForm, delivery: Delivery | None, account: str, asked: Asked, proof: str
) -> HttpResponse:
    """Go where an account that waits leads: to its code, or on where none was sent.

    The address is shown in full: this browser typed it.
    """
    username, typed = form.cleaned_data["username"], form.attributes()
    if delivery is None:
        return visit.go("sign_in", Step(username, "waiting"))
    sent_to = username if visit.pool.username_attributes else typed.get(delivery.attribute) or delivery.destination
    step = waiting(username, asked, ("", "wait"), sent_to=sent_to, account=account, proof=proof)
    return visit.go("confirm", replace(step, typed=typed))


def waiting(
    username: str,
    asked: Asked,
    notices: tuple[str, str],
    *,
    sent_to: str = "",
    account: str,
    proof: str = "",
) -> Step:
    """Return the step of somebody who looks for a code, with the notice for one just sent, or for none."""
    notice = notices[0] if asked.is_sent else notices[1]
    return Step(
        username,
        notice,
        sent_to=sent_to,
        waits=asked.waits,
        limited=asked.limited,
        account=account,
        proof=proof,
    )


def shown(visit: Visit, form: SignUpForm) -> HttpResponse:
    """Show the page."""
    return visit.show("sign_up", form=form.focused(), policy=policy_list(visit.pool), is_change=is_change(visit))


@page()
def confirm(visit: Visit) -> HttpResponse:
    """Ask for the mailed code. A code in the address is only filled in: mail scanners open links."""
    step = visit.step
    if visit.request.method != "POST" and (step.notice == "confirmed" or visit.is_done):
        return visit.go("sign_in")  # gone back to, when all is done
    if visit.request.method != "POST":
        suggested = visit.request.GET.get("code", "")[:16]
        return asked(visit, NamedCodeForm(visit.pool, step.username, initial={"code": suggested}))
    form = NamedCodeForm(visit.pool, step.username, visit.request.POST)
    if not form.is_valid():
        return asked(visit, form)
    username = form.cleaned_data["username"]
    is_own = visit.browser.has_made(username)
    code, receipt = form.cleaned_data["code"], visit.receipt
    try:
        accounts.confirm(visit.app, username, code=code, keep_password=is_own, receipt=receipt, by=visit.by)
    except errors.DomainError as problem:
        form.tell(wording.of_code(problem), problem)
        return asked(visit, form)
    if not is_own:
        return choose_again(visit, username)
    try:
        outcome = machine.begin_confirmed(
            visit.app,
            username=username,
            proof=visit.browser.proof_of(username),
            receipt=receipt,
            by=visit.by,
        )
    except errors.DomainError:  # the account is confirmed even so, and the next page says what is in the way
        return visit.go("sign_in", Step(username=username, notice="confirmed", account=FRESH))
    return proceed(visit, outcome, username=username)


def choose_again(visit: Visit, username: str) -> HttpResponse:
    """Have a password set for an account that was not made here.

    Whoever made it chose the password that is gone now, and may not have been the owner of the address.
    """
    try:
        asked = waits.ask(
            visit.step, username, Purpose.RECOVERY, lambda: passwords.forgot(visit.app, username, by=visit.by)
        )
    except errors.WrongState:
        return visit.go("sign_in", Step(username, "ask_operator"))  # the pool's people may not recover by themselves
    return visit.go("confirm_forgot", waiting(username, asked, ("choose_again", "choose_wait"), account=FRESH))


@page(methods=("GET", "HEAD"))
def confirm_link(visit: Visit) -> HttpResponse:
    """Open the link of a mail: name and code are filled in, and a person presses the button."""
    name = visit.request.GET.get("user_name", "")[:2048]
    code = visit.request.GET.get("confirmation_code", "")[:16]
    account, proof = FRESH if visit.browser.has_made(name) else PRIOR, visit.browser.proof_of(name)
    visit.browser.keep(Step(username=name, account=account, proof=proof))
    return asked(visit, NamedCodeForm(visit.pool, name, initial={"code": code}), is_link=True)


def asked(visit: Visit, form: NamedCodeForm, **context: Any) -> HttpResponse:
    """Show the page of the code."""
    step = visit.step
    left = waits.left(step, Purpose.SIGN_UP)
    response = visit.show(
        "confirm",
        form=form.focused(),
        sent_to=step.sent_to,
        username=step.username,
        resend_in=left,
        notice=waits.notice(step, left),
        change=f"{visit.url('sign_up')}&change=1" if step.proof and visit.query else "",
        **context,
    )
    return waits.said(response, left)


@page(methods=("POST",))
def resend(visit: Visit) -> HttpResponse:
    """Send the code again. Whether one goes out, and when the next may, is said alike of every name."""
    step = visit.step
    username = step.username
    if not username:
        return visit.go("sign_in")  # who signs in and has not confirmed yet is sent one
    try:
        asked = waits.ask(
            step,
            username,
            Purpose.SIGN_UP,
            lambda: accounts.resend(visit.app, username, receipt=visit.receipt, by=visit.by),
        )
    except errors.Invalid:
        return visit.go("sign_in", Step(username, "waiting"))  # the pool sends no codes
    account = step.account or PRIOR
    again = waiting(username, asked, ("resent", "wait"), sent_to=step.sent_to, account=account, proof=step.proof)
    again = replace(again, typed=step.typed)
    return visit.go("confirm", again)
