"""The account's own pages: who is signed in here, and out again. How to sign in is ``account_factors``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.http import urlencode

from identity.foundation import errors
from pools.hosted import account_factors
from pools.hosted.recent_proof import sign_in_first
from pools.services.providers import saml_logouts, sign_outs
from pools.services.tokens import sessions
from pools.services.tokens.interactions import Kind
from pools.web import notices, resume
from pools.web.browser import PageState
from pools.web.page_request import PageRequest, SeeOther, account_name
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.models.hot import BrowserSession

LEAVING = "leaving"
"""The parameter by which our last page is told where it leads on to."""


@page(app=False, directory=False)
def account(page_request: PageRequest) -> HttpResponse:
    """Show who is signed in, and sign them out."""
    is_leaving = page_request.is_form
    session = page_request.browser.live_session() if is_leaving else page_request.browser.signed_in_session()
    if session is None:
        page_state = PageState(notice=page_request.page_state.notice)
        return (
            page_request.go("sign_in", page_state) if page_request.client else sign_in_first(page_request, page_state)
        )
    if is_leaving:
        sessions.end(page_request.pool, session, receipt=page_request.receipt, by=page_request.by_user(session))
        page_request.browser.close()
        return leave(page_request, session)
    notice = notices.NOTICES.get(page_request.page_state.notice)
    if notice is not None:
        page_request.browser.keep(PageState())  # read once
    return page_request.show(
        "account",
        notice=notice,
        session=session,
        person=session.person,
        settings=account_factors.settings(page_request, session),
    )


def leave(page_request: PageRequest, session: BrowserSession) -> HttpResponse:
    """Lead to our last page, which leads on to whoever else has to hear that a session is over.

    A form of an account page ends here, with all redirects that follow it: browsers hold each against its policy.
    """
    last = page_request.url("signed_out")
    onward = saml_logouts.leave(page_request.pool, session, onward=last)
    if onward == last:
        return SeeOther(last)
    named = urlencode({LEAVING: sign_outs.keep_way(page_request.pool, onward)})
    return SeeOther(f"{page_request.plain_url('signed_out')}?{named}")


@page(app=False, directory=False)
def sign_out(page_request: PageRequest) -> HttpResponse:
    """Ask somebody whom a link would sign out, and go back to it: it leads on once nobody is signed in."""
    session = page_request.browser.live_session()
    onward = resume.url(Kind.LOGOUT, page_request.query)
    if session is None:
        return SeeOther(onward)
    if page_request.is_form:
        sessions.end(page_request.pool, session, receipt=page_request.receipt, by=page_request.by_user(session))
        page_request.browser.close()
        return SeeOther(saml_logouts.leave(page_request.pool, session, onward=onward))
    is_enough = sessions.is_enough(page_request.pool, session)
    return page_request.show("sign_out", known=account_name(session) if is_enough else "")


@page(app=False, methods=("GET", "HEAD"), directory=False)
def signed_out(page_request: PageRequest) -> HttpResponse:
    """Say that it is done, and lead on where somebody else has to hear of it."""
    onward = ""
    named = page_request.request.GET.get(LEAVING, "")
    if named and page_request.request.method == "GET":
        try:
            onward = sign_outs.take_way(page_request.pool, named)
        except errors.InteractionExpired:
            return SeeOther(page_request.plain_url("signed_out"))
    return page_request.show("signed_out", onward=onward)
