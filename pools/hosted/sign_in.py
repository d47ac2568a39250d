"""Signing in: name and password, then whatever the machine still asks, a page each."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.hosted import failures, waits, wording
from pools.hosted.browser import FRESH, Step
from pools.hosted.forms import CodeForm, NewPasswordForm, SignInForm, policy_list
from pools.hosted.outcomes import proceed
from pools.hosted.sign_up import waiting
from pools.hosted.visit import Visit, page
from pools.services.codes import Purpose
from pools.services.people import attributes, passwords
from pools.services.sign_in import flows, machine
from pools.services.sign_in.machine import Challenge
from pools.services.sign_up import sign_up

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.hosted.forms import PageForm

ASKS_AGAIN = frozenset({"login", "select_account"})
AGAIN = frozenset({"max_age", "signed_in_since", "resume"})
"""Parameters that say a session alone is not enough."""


@page()
def sign_in(visit: Visit) -> HttpResponse:
    """Ask for name and password."""
    if visit.request.method != "POST" and must_begin_at_authorize(visit):
        return visit.onward()
    if visit.request.method != "POST":
        return shown(visit, SignInForm(visit.pool, initial={"username": expected_name(visit)}))
    form = SignInForm(visit.pool, visit.request.POST)
    if not form.is_valid():
        return shown(visit, form)
    username, password = form.cleaned_data["username"], form.cleaned_data["password"]
    try:
        with failures.counted(visit):
            outcome = machine.begin(
                flows.by_pages(visit.app),
                username=username,
                answers={"password": password},
                receipt=visit.receipt,
                by=visit.by,
            )
    except errors.UserNotConfirmed:
        return confirm_first(visit, username)
    except errors.DomainError as problem:
        form.tell(wording.of_sign_in(problem), problem)
        if not (visit.step.account or visit.step.session):
            visit.browser.keep(Step(username))  # who goes on to another page need not type it again
        return shown(visit, form)
    return proceed(visit, outcome, username=username)


def must_begin_at_authorize(visit: Visit) -> bool:
    """Say whether the app wants a new sign-in, and came here at once: authorize notes from when on one counts."""
    asks = "max_age" in visit.asked or bool(ASKS_AGAIN & set(visit.asked.get("prompt", "").split()))
    return asks and "response_type" in visit.asked and "signed_in_since" not in visit.asked


def shown(visit: Visit, form: SignInForm) -> HttpResponse:
    """Show the page; somebody who is signed in already may carry on without a password, unless the app forbids it."""
    is_enough = not AGAIN & set(visit.asked) and not form.is_bound
    session = visit.browser.current() if is_enough else None
    return visit.show(
        "sign_in",
        form=form.focused(),
        known=(session.person.email or session.person.username) if session else "",
        onward=visit.onward_url if session else "",
        can_sign_up=not visit.pool.admin_only_sign_up and "resume" not in visit.asked,
    )


def expected_name(visit: Visit) -> str:
    """Return the name to fill in: the one typed a page ago, else what the app suggests."""
    return visit.step.username or visit.asked.get("login_hint", "")[:256]


def confirm_first(visit: Visit, username: str) -> HttpResponse:
    """Send a new code to an account that was never confirmed; its password was right."""
    try:
        asked = waits.ask(
            visit.step,
            username,
            Purpose.SIGN_UP,
            lambda: sign_up.resend(visit.app, username, receipt=visit.receipt, by=visit.by),
        )
    except errors.Invalid:
        return visit.go("sign_in", Step(username, "waiting"))  # the pool sends no codes
    return visit.go("confirm", waiting(username, asked, ("confirm_first", "confirm_wait"), account=FRESH))


def challenged(visit: Visit, challenge: Challenge) -> Step:
    """Return the step, if that challenge is the one this browser was given.

    Raises:
        SessionRefused: it was given another, or none.

    """
    step = visit.step
    if step.challenge != challenge or not step.session:
        raise errors.SessionRefused(detail="no such challenge in this browser")
    return step


@page()
def totp(visit: Visit) -> HttpResponse:
    """Ask for the authenticator app's code."""
    step = challenged(visit, Challenge.TOTP)
    if visit.request.method != "POST":
        return visit.show("totp", form=CodeForm().focused(), username=step.username)
    form = CodeForm(visit.request.POST)
    if not form.is_valid():
        return visit.show("totp", form=form.focused(), username=step.username)
    return answered(visit, form, "totp", step, {"code": form.cleaned_data["code"]})


@page()
def new_password(visit: Visit) -> HttpResponse:
    """Ask for a password in place of a temporary one."""
    step = challenged(visit, Challenge.NEW_PASSWORD)
    if visit.request.method != "POST":
        form = NewPasswordForm(visit.pool, step.username, step.required)
        return visit.show("new_password", form=form.focused(), policy=policy_list(visit.pool))
    form = NewPasswordForm(visit.pool, step.username, step.required, visit.request.POST)
    form.full_clean()
    password, given = form.given("new_password"), form.attributes()
    found = chain(attributes.problems(visit.pool, given, client=visit.app), passwords.problems(visit.pool, password))
    if not form.judge(found, wording.of_new_password):
        return visit.show("new_password", form=form.focused(), policy=policy_list(visit.pool))
    answers: dict[str, object] = {"new_password": password, "attributes": given}
    return answered(visit, form, "new_password", step, answers)


def answered(visit: Visit, form: PageForm, template: str, step: Step, answers: dict[str, object]) -> HttpResponse:
    """Hand an answer to the machine; show its refusal at the form."""
    challenge = Challenge(step.challenge)
    explain = wording.of_totp if challenge is Challenge.TOTP else wording.of_new_password
    try:
        with failures.counted(visit) if challenge is Challenge.TOTP else nullcontext():
            outcome = machine.respond(
                visit.app,
                challenge=challenge,
                session=step.session,
                answers=answers,
                receipt=visit.receipt,
                by=visit.by,
            )
    except errors.DomainError as problem:
        form.tell(explain(problem), problem)
        return visit.show(template, form=form.focused(), username=step.username, policy=policy_list(visit.pool))
    return proceed(visit, outcome, username=step.username)
