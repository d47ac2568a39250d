"""A forgotten password: a code to the account's address, then the code with a new password. Two pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.hosted import waits, wording
from pools.hosted.browser import Step
from pools.hosted.forms import ForgotForm, ResetForm, policy_list
from pools.hosted.outcomes import proceed
from pools.hosted.visit import Visit, page
from pools.services.codes import Purpose
from pools.services.people import passwords
from pools.services.sign_in import flows, machine

if TYPE_CHECKING:
    from django.http import HttpResponse


@page()
def forgot(visit: Visit) -> HttpResponse:
    """Ask whose password it is. The answer is the same whether or not there is an account."""
    if visit.request.method != "POST":
        name = visit.step.username or visit.asked.get("login_hint", "")[:256]
        return visit.show("forgot", form=ForgotForm(visit.pool, initial={"username": name}).focused())
    form = ForgotForm(visit.pool, visit.request.POST)
    if not form.is_valid():
        return visit.show("forgot", form=form.focused())
    username = form.cleaned_data["username"]
    step = visit.step
    again = step.username == username and Purpose.RECOVERY in step.waits
    try:
        asked = waits.ask(
            step,
            username,
            Purpose.RECOVERY,
            lambda: passwords.forgot(visit.app, username, receipt=visit.receipt, by=visit.by),
        )
    except errors.WrongState:
        form.tell(wording.Said("", wording.BY_OPERATOR))
        return visit.show("forgot", form=form.focused())
    notice = ("resent" if again else "") if asked.is_sent else "wait"
    after = Step(username, notice, waits=asked.waits, limited=asked.limited, account=step.account)
    if not asked.is_sent and not again:
        # No code of this browser's is under way: the next page would ask for one.
        left = waits.left(after, Purpose.RECOVERY)
        form.tell(wording.Said("", wording.no_code(left)), errors.TooManyAttempts(wait=left))
        return visit.show("forgot", form=form.focused())
    return visit.go("confirm_forgot", after)


@page()
def confirm_forgot(visit: Visit) -> HttpResponse:
    """Ask for the mailed code and a new password."""
    step = visit.step
    if visit.request.method != "POST" and (step.notice == "password_changed" or visit.is_done):
        return visit.go("sign_in")  # gone back to, when all is done
    if visit.request.method != "POST":
        suggested = visit.request.GET.get("code", "")[:16]
        return shown(visit, ResetForm(visit.pool, step.username, initial={"code": suggested}))
    form = ResetForm(visit.pool, step.username, visit.request.POST)
    form.full_clean()
    if not form.judge(passwords.problems(visit.pool, form.given("new_password")), wording.of_code):
        return shown(visit, form)
    username = form.cleaned_data["username"]
    try:
        passwords.confirm_forgot(
            visit.app,
            username,
            code=form.cleaned_data["code"],
            password=form.cleaned_data["new_password"],
            receipt=visit.receipt,
            by=visit.by,
        )
    except errors.DomainError as problem:
        form.tell(wording.of_code(problem), problem)
        return shown(visit, form)
    return signed_in(visit, username, form.cleaned_data["new_password"])


def signed_in(visit: Visit, username: str, password: str) -> HttpResponse:
    """Go on with the password that was just set, in the browser that asked for the code; others sign in by it."""
    step = visit.step
    then = Step(username, "password_changed", account=step.account)
    if step.username != username or Purpose.RECOVERY not in step.waits:
        return visit.go("sign_in", then)
    try:
        outcome = machine.begin(
            flows.by_pages(visit.app),
            username=username,
            answers={"password": password},
            receipt=visit.receipt,
            by=visit.by,
        )
    except errors.DomainError:  # the password is changed even so, and the next page says what is in the way
        return visit.go("sign_in", then)
    return proceed(visit, outcome, username=username)


def shown(visit: Visit, form: ResetForm) -> HttpResponse:
    """Show the page."""
    left = waits.left(visit.step, Purpose.RECOVERY)
    response = visit.show(
        "confirm_forgot",
        form=form.focused(),
        username=visit.step.username,
        policy=policy_list(visit.pool),
        resend_in=left,
        notice=waits.notice(visit.step, left),
    )
    return waits.said(response, left)
