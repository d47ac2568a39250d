"""The pages of the authenticator app: set up where offered after sign-up, required at sign-in, or wanted; and removed.

The page that asks for its code is like every second factor's (``sign_in``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import segno
from django.utils.safestring import mark_safe

from identity.foundation import errors, names
from pools.hosted import wording
from pools.hosted.forms import CodeForm
from pools.services import assurance
from pools.services.pools import app_clients
from pools.services.sign_in import enrolment, factors, machine, own_factors
from pools.services.sign_in.factors import totp
from pools.services.sign_in.machine import Challenge
from pools.services.tokens import interactions, sessions
from pools.services.tokens.interactions import Kind
from pools.web import resume
from pools.web.browser import PageState
from pools.web.page_forms import PageForm
from pools.web.page_request import PageRequest, SeeOther, account_name
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.utils.safestring import SafeString

    from pools.models.hot import BrowserSession as Session

GROUP = 4
REMOVAL = "removal"
"""What the account page asks about before an authenticator is removed."""


@page(directory=False)
def set_up(page_request: PageRequest) -> HttpResponse:
    """Set up an authenticator app on the way to the app: offered, or required by the machine."""
    page_state = page_request.page_state
    if page_state.challenge == Challenge.FACTOR_SETUP and page_state.attempt_token:
        return set_up_required(page_request, page_state)
    session = page_request.browser.signed_in_session()
    if session is None:
        raise errors.AttemptTokenRefused(detail="nobody is signed in")
    return set_up_offered(page_request, page_state, session)


def set_up_required(page_request: PageRequest, page_state: PageState) -> HttpResponse:
    """Set up what the pool requires, inside the machine's challenge."""
    form = CodeForm(page_request.request.POST if page_request.is_form else None)
    if form.is_bound and form.is_valid():
        try:
            attempt_token = enrolment.prove_enrolment(
                page_request.app,
                page_state.attempt_token,
                totp.kind,
                form.cleaned_data["code"],
                receipt=page_request.receipt,
                by=page_request.by,
            )
        except errors.DomainError as refusal:
            form.add_refusal(wording.of_second_factor(refusal), refusal)
        else:
            outcome = machine.respond(
                page_request.app,
                challenge=Challenge.FACTOR_SETUP,
                attempt_token=attempt_token,
                answers={},
                receipt=page_request.receipt,
                by=page_request.by,
            )
            return proceed(page_request, outcome, username=page_state.username)
    progress = wording.PROGRESS["second_factor"]
    return show_set_up(page_request, "totp_setup", form, page_state, is_required=True, progress=progress)


def set_up_offered(page_request: PageRequest, page_state: PageState, session: Session) -> HttpResponse:
    """Set up what the person may, being signed in. "Not now" is a link to where they were going."""
    onward = page_request.onward_url
    form = CodeForm(page_request.request.POST if page_request.is_form else None)
    if not page_state.secret or session.person.factors:
        return SeeOther(onward)
    if form.is_bound and form.is_valid() and prove_secret(page_request, form, session):
        page_request.browser.keep(PageState())
        return SeeOther(onward)
    return show_set_up(page_request, "totp_setup", form, page_state, onward=onward)


def prove_secret(page_request: PageRequest, form: CodeForm, session: Session) -> bool:
    """Prove the pending seed by the form's code, and have it asked for from now on: of others, not of this browser."""
    code, opening = form.cleaned_data["code"], sessions.prepare_step_up(page_request.pool, session, totp.method)
    try:
        own_factors.prove(
            page_request.pool,
            session.person,
            totp.kind,
            code,
            enable=True,
            opening=opening,
            receipt=page_request.receipt,
            by=page_request.by_user(session),
        )
    except errors.DomainError as refusal:
        form.add_refusal(wording.of_second_factor(refusal), refusal)
        return False
    page_request.browser.open(opening.opened)
    return True


def show_set_up(
    page_request: PageRequest, template: str, form: CodeForm, page_state: PageState, **context: Any
) -> HttpResponse:
    """Show QR code, key and link of a pending seed."""
    address = otpauth_url(page_request, page_state)
    groups = " ".join(page_state.secret[at : at + GROUP] for at in range(0, len(page_state.secret), GROUP))
    context |= {"username": page_state.username, "otpauth": address, "qr": qr(address), "key": groups}
    by_phone = is_phone(page_request)
    # On a phone the keyboard would cover what comes before the code.
    return page_request.show(template, form=form.focus(is_moved=not by_phone), by_phone=by_phone, **context)


def is_phone(page_request: PageRequest) -> bool:
    """Say whether a browser is a phone's: it cannot scan its own screen, and is where authenticator apps are."""
    headers = page_request.request.headers
    return headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in headers.get("User-Agent", "")


def otpauth_url(page_request: PageRequest, page_state: PageState) -> str:
    """Return the address that authenticator apps read (Google's Key URI format)."""
    app_name = page_request.app_name or str(urlsplit(names.issuer(page_request.pool.public_id)).hostname)
    issuer = app_name.replace(":", " ")
    label = quote(f"{issuer}:{page_state.username}", safe="@:")
    return f"otpauth://totp/{label}?" + urlencode({"secret": page_state.secret, "issuer": issuer}, quote_via=quote)


def qr(address: str) -> SafeString:
    """Return a QR code as an SVG element without a style attribute, which the CSP would drop."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, border=2, dark="#0b1412", light="#ffffff", svgclass=None, lineclass=None
    )
    # Drawn by segno from modules alone: the address is not in it as text.
    return mark_safe(drawn)  # noqa: S308


@page(app=False, directory=False)
def account_mfa(page_request: PageRequest) -> HttpResponse:
    """Show whether an authenticator app is on; set it up or remove it, after a fresh proof."""
    session = page_request.browser.signed_in_session()
    if session is None:
        return sign_in_first(page_request, PageState(), Kind.ACCOUNT_MFA)
    is_on = factors.is_on(session.person, totp.kind)
    if not page_request.is_form:
        return show_overview(page_request, session, is_on=is_on)
    if not assurance.is_recent(session.auth_time):
        return sign_in_first(page_request, PageState(username=account_name(session), notice="prove"), Kind.ACCOUNT_MFA)
    action = page_request.request.POST.get("action", "")
    if action == "remove" and is_on:
        return page_request.go("account_mfa", PageState(challenge=REMOVAL))
    if action == "remove_now" and is_on:
        return remove(page_request, session)
    if action == "verify" and page_request.page_state.secret:
        return finish_set_up(page_request, session, is_on=is_on)
    if is_on:
        return page_request.go("account_mfa", PageState())
    pool, by = page_request.pool, page_request.by_user(session)
    secret = own_factors.enrol(pool, session.person, totp.kind, receipt=page_request.receipt, by=by)
    return page_request.go("account_mfa", PageState(username=account_name(session), secret=secret))


def finish_set_up(page_request: PageRequest, session: Session, *, is_on: bool) -> HttpResponse:
    """End a set-up by its first code."""
    form = CodeForm(page_request.request.POST)
    if form.is_valid() and prove_secret(page_request, form, session):
        return page_request.go("account_mfa", PageState(notice="mfa_on"))
    return show_set_up(page_request, "account_mfa", form, page_request.page_state, is_on=is_on, session=session)


def sign_in_first(page_request: PageRequest, page_state: PageState, kind: Kind = Kind.ACCOUNT) -> HttpResponse:
    """Have the person sign in, and come back, to the account page unless to another: a new session takes the old one's.

    Whoever came from no app signs in by the pool's oldest.
    """
    client = page_request.client or app_clients.oldest_with_pages(page_request.pool)
    if client is None:
        return page_request.problem("no_client")
    parameters = {"client_id": client.client_id, **interactions.parameters_of(kind)}
    page_request.browser.keep_for(urlencode(parameters), page_state)
    return SeeOther(resume.sign_in_url(parameters))


def remove(page_request: PageRequest, session: Session) -> HttpResponse:
    """Remove the authenticator, unless the pool requires one."""
    try:
        pool, by = page_request.pool, page_request.by_user(session)
        own_factors.remove(pool, session.person, totp.kind, receipt=page_request.receipt, by=by)
    except errors.Invalid:
        return show_overview(page_request, session, is_on=True)
    return page_request.go("account_mfa", PageState(notice="mfa_off"))


def show_overview(page_request: PageRequest, session: Session, *, is_on: bool) -> HttpResponse:
    """Show the present state, and the set-up that is under way."""
    context: dict[str, Any] = {
        "session": session,
        "is_on": is_on,
        "is_required": page_request.pool.mfa == page_request.pool.Mfa.ON,
    }
    if not totp.is_open(page_request.pool):
        return page_request.problem("no_authenticator")
    page_state = page_request.page_state
    if page_state.secret and not is_on:
        return show_set_up(page_request, "account_mfa", CodeForm(), page_state, **context)
    asks = is_on and page_state.challenge == REMOVAL and not context["is_required"]
    response = page_request.show("account_mfa", form=PageForm(), asks=asks, **context)
    if page_state.notice or page_state.challenge == REMOVAL:
        page_request.browser.keep(PageState())  # a notice is read once, and a question asked once
    return response
