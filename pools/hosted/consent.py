"""Asking somebody who is signed in whether an app that anybody may have registered gets what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from pools.services.pools import app_clients, resource_servers
from pools.services.tokens import interactions
from pools.web import consent, resume
from pools.web.consent import Answer
from pools.web.page_request import PageRequest, SeeOther, account_name
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.utils.functional import _StrPromise

WORDS = {
    "email": gettext_lazy("See your email address"),
    "phone": gettext_lazy("See your phone number"),
    "profile": gettext_lazy("See your name and the rest of your profile"),
    "aws.cognito.signin.user.admin": gettext_lazy("See and change your account"),
}
ALL = gettext_lazy("See your email address, phone number and profile")
"""What ``openid`` means where none of the scopes beside it says less."""


@page(one_time=False)
def ask(page_request: PageRequest) -> HttpResponse:
    """Ask, and go back to the app's request with the answer; who is not to be asked just goes on."""
    session = page_request.browser.signed_in_session()
    if session is None or not app_clients.asks_consent(page_request.app):
        return page_request.go_on()
    asked = interactions.of_application(page_request.parameters) | {
        name: value for name, value in page_request.parameters.items() if name == interactions.SIGNED_IN_SINCE
    }
    if page_request.is_form:
        answer = Answer.DECLINED if "declined" in page_request.request.POST else Answer.AGREED
        asked[interactions.CONSENTED] = consent.seal(page_request.pool, session, asked, answer)
        return SeeOther(resume.url(interactions.kind_of(asked), urlencode(asked)))
    return page_request.show("consent", known=account_name(session), wishes=wishes(page_request))


def wishes(page_request: PageRequest) -> list[str | _StrPromise]:
    """Return what an app would be able to do, in words: ours, or those of who runs the resource server."""
    granted = resource_servers.granted_scopes(page_request.app)
    scopes = [scope for scope in page_request.parameters.get("scope", "").split() if scope in granted] or granted
    described = resource_servers.descriptions(page_request.pool)
    found = [WORDS.get(scope) or described.get(scope, scope) for scope in scopes if scope != "openid"]
    return found if "openid" not in scopes or WORDS.keys() & set(scopes) else [ALL, *found]
