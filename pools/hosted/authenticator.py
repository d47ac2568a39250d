"""Authenticator apps: set up where offered after sign-up, required at sign-in, or asked for; and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import segno
from django.utils.safestring import mark_safe

from identity.foundation import errors, names
from pools.hosted import wording
from pools.hosted.browser import Step
from pools.hosted.forms import CodeForm, PageForm
from pools.hosted.outcomes import proceed
from pools.hosted.visit import SeeOther, Visit, page
from pools.services import assurance
from pools.services.pools import app_clients
from pools.services.sign_in import factors, machine
from pools.services.sign_in.machine import Challenge
from pools.services.tokens import sessions

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.utils.safestring import SafeString

    from pools.models.hot import Browser as Session

GROUP = 4
REMOVAL = "removal"
"""What the account page asks about before an authenticator is removed."""


@page()
def set_up(visit: Visit) -> HttpResponse:
    """Set up an authenticator app on the way to the app: offered, or required by the machine."""
    step = visit.step
    if step.challenge == Challenge.FACTOR_SETUP and step.session:
        return required(visit, step)
    session = visit.browser.current()
    if session is None:
        raise errors.SessionRefused(detail="nobody is signed in")
    return offered(visit, step, session)


def required(visit: Visit, step: Step) -> HttpResponse:
    """Set up what the pool requires, inside the machine's challenge."""
    form = CodeForm(visit.request.POST if visit.request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            session = machine.verify_enrolment(
                visit.app, step.session, form.cleaned_data["code"], receipt=visit.receipt, by=visit.by
            )
        except errors.DomainError as problem:
            form.tell(wording.of_totp(problem), problem)
        else:
            outcome = machine.respond(
                visit.app,
                challenge=Challenge.FACTOR_SETUP,
                session=session,
                answers={},
                receipt=visit.receipt,
                by=visit.by,
            )
            return proceed(visit, outcome, username=step.username)
    return enrolment(visit, "totp_setup", form, step, is_required=True, progress=wording.PROGRESS["totp"])


def offered(visit: Visit, step: Step, session: Session) -> HttpResponse:
    """Set up what the person may, being signed in. "Not now" is a link to where they were going."""
    onward = visit.onward_url
    form = CodeForm(visit.request.POST if visit.request.method == "POST" else None)
    if not step.secret or factors.has_totp(visit.pool, session.person):
        return SeeOther(onward)
    if form.is_bound and form.is_valid() and proven(visit, form, session):
        visit.browser.keep(Step())
        return SeeOther(onward)
    return enrolment(visit, "totp_setup", form, step, onward=onward)


def proven(visit: Visit, form: CodeForm, session: Session) -> bool:
    """Prove the pending seed by the form's code, and have it asked for from now on: of others, not of this browser."""
    code, opening = form.cleaned_data["code"], sessions.raised(visit.pool, session, assurance.CODE)
    try:
        factors.verify(
            visit.pool,
            session.person,
            code,
            enable=True,
            opening=opening,
            receipt=visit.receipt,
            by=visit.by_user(session),
        )
    except errors.DomainError as problem:
        form.tell(wording.of_totp(problem), problem)
        return False
    visit.browser.open(opening.opened)
    return True


def enrolment(visit: Visit, template: str, form: CodeForm, step: Step, **context: Any) -> HttpResponse:
    """Show QR code, key and link of a pending seed."""
    address = otpauth(visit, step)
    groups = " ".join(step.secret[at : at + GROUP] for at in range(0, len(step.secret), GROUP))
    shown = {"username": step.username, "otpauth": address, "qr": qr(address), "key": groups, **context}
    by_phone = is_phone(visit)
    # On a phone the keyboard would cover what comes before the code.
    return visit.show(template, form=form.focused(takes=not by_phone), by_phone=by_phone, **shown)


def is_phone(visit: Visit) -> bool:
    """Say whether a browser is a phone's: it cannot scan its own screen, and is where authenticator apps are."""
    headers = visit.request.headers
    return headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in headers.get("User-Agent", "")


def otpauth(visit: Visit, step: Step) -> str:
    """Return the address that authenticator apps read (Google's Key URI format)."""
    named = visit.place or str(urlsplit(names.issuer(visit.pool.public_id)).hostname)
    issuer = named.replace(":", " ")
    label = quote(f"{issuer}:{step.username}", safe="@:")
    return f"otpauth://totp/{label}?" + urlencode({"secret": step.secret, "issuer": issuer}, quote_via=quote)


def qr(address: str) -> SafeString:
    """Return a QR code as an SVG element without a style attribute, which the CSP would drop."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, border=2, dark="#0b1412", light="#ffffff", svgclass=None, lineclass=None
    )
    # Drawn by segno from modules alone: the address is not in it as text.
    return mark_safe(drawn)  # noqa: S308


@page(app=False)
def account_mfa(visit: Visit) -> HttpResponse:
    """Show whether an authenticator app is on; set it up or remove it, after a fresh proof."""
    session = visit.browser.current()
    if session is None:
        return prove_first(visit, Step(), "account_mfa")
    is_on = factors.has_totp(visit.pool, session.person) and session.person.totp_enabled
    if visit.request.method != "POST":
        return overview(visit, session, is_on=is_on)
    if not assurance.is_recent(session.auth_time):
        return prove_first(visit, Step(username=shown_name(session), notice="prove"), "account_mfa")
    action = visit.request.POST.get("action", "")
    if action == "remove" and is_on:
        return visit.go("account_mfa", Step(challenge=REMOVAL))
    if action == "remove_now" and is_on:
        return removed(visit, session)
    if action == "verify" and visit.step.secret:
        return verified(visit, session, is_on=is_on)
    if is_on:
        return visit.go("account_mfa", Step())
    secret = factors.associate(visit.pool, session.person, receipt=visit.receipt, by=visit.by_user(session))
    return visit.go("account_mfa", Step(username=shown_name(session), secret=secret))


def shown_name(session: Session) -> str:
    """Return what somebody knows their account by."""
    return session.person.email or session.person.username


def verified(visit: Visit, session: Session, *, is_on: bool) -> HttpResponse:
    """End a set-up by its first code."""
    form = CodeForm(visit.request.POST)
    if form.is_valid() and proven(visit, form, session):
        return visit.go("account_mfa", Step(notice="mfa_on"))
    return enrolment(visit, "account_mfa", form, visit.step, is_on=is_on, session=session)


def prove_first(visit: Visit, step: Step, resume: str = "") -> HttpResponse:
    """Have the person sign in, and come back, to the account page unless to another: a new session takes the old one's.

    Whoever came from no app signs in by the pool's oldest.
    """
    client = visit.client or app_clients.first_of_pages(visit.pool)
    if client is None:
        return visit.problem("no_client")
    query = urlencode({"client_id": client.client_id, **({"resume": resume} if resume else {})})
    visit.browser.keep_for(query, step)
    return SeeOther(f"{visit.plain_url('sign_in')}?{query}")


def removed(visit: Visit, session: Session) -> HttpResponse:
    """Remove the authenticator, unless the pool requires one."""
    try:
        factors.remove(visit.pool, session.person, receipt=visit.receipt, by=visit.by_user(session))
    except errors.Invalid:
        return overview(visit, session, is_on=True)
    return visit.go("account_mfa", Step(notice="mfa_off"))


def overview(visit: Visit, session: Session, *, is_on: bool) -> HttpResponse:
    """Show the present state, and the set-up that is under way."""
    context: dict[str, Any] = {"session": session, "is_on": is_on, "is_required": visit.pool.mfa == visit.pool.Mfa.ON}
    if not visit.pool.totp_enabled or visit.pool.mfa == visit.pool.Mfa.OFF:
        return visit.problem("no_totp")
    step = visit.step
    if step.secret and not is_on:
        return enrolment(visit, "account_mfa", CodeForm(), step, **context)
    asks = is_on and step.challenge == REMOVAL and not context["is_required"]
    response = visit.show("account_mfa", form=PageForm(), asks=asks, **context)
    if step.notice or step.challenge == REMOVAL:
        visit.browser.keep(Step())  # a notice is read once, and a question asked once
    return response
