"""The account's own pages: who is signed in here, and out again. How to sign in is ``authenticator``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from pools.hosted import wording
from pools.hosted.authenticator import prove_first
from pools.hosted.browser import Step
from pools.hosted.visit import SeeOther, Visit, page
from pools.services.sign_in import factors
from pools.services.tokens import sessions

if TYPE_CHECKING:
    from django.http import HttpResponse


@page(app=False)
def account(visit: Visit) -> HttpResponse:
    """Show who is signed in, and sign them out."""
    is_leaving = visit.request.method == "POST"
    session = visit.browser.held() if is_leaving else visit.browser.current()
    if session is None:
        step = Step(notice=visit.step.notice)
        return visit.go("sign_in", step) if visit.client else prove_first(visit, step)
    if is_leaving:
        sessions.end(visit.pool, session, receipt=visit.receipt, by=visit.by_user(session))
        visit.browser.close()
        return visit.go("signed_out")
    notice = wording.NOTICES.get(visit.step.notice)
    if notice is not None:
        visit.browser.keep(Step())  # read once
    can_have_totp = visit.pool.totp_enabled and visit.pool.mfa != visit.pool.Mfa.OFF
    return visit.show(
        "account",
        notice=notice,
        session=session,
        person=session.person,
        can_have_totp=can_have_totp,
        is_on=can_have_totp and session.person.totp_enabled and factors.has_totp(visit.pool, session.person),
    )


@page(app=False)
def sign_out(visit: Visit) -> HttpResponse:
    """Ask somebody whom a link would sign out, and go back to it: it leads on once nobody is signed in."""
    session = visit.browser.held()
    onward = reverse("oidc:logout") + (f"?{visit.query}" if visit.query else "")
    if session is None:
        return SeeOther(onward)
    if visit.request.method == "POST":
        sessions.end(visit.pool, session, receipt=visit.receipt, by=visit.by_user(session))
        visit.browser.close()
        return SeeOther(onward)
    is_enough = sessions.is_enough(visit.pool, session)
    return visit.show("sign_out", known=(session.person.email or session.person.username) if is_enough else "")


@page(app=False, methods=("GET", "HEAD"))
def signed_out(visit: Visit) -> HttpResponse:
    """Say that it is done."""
    return visit.show("signed_out")
