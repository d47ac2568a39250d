"""Changing one's own password while signed in, and the address at which password managers look for that page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import HttpResponseRedirect

from identity.foundation import errors
from pools.hosted import wording
from pools.hosted.forms import OwnPasswordForm, policy_list
from pools.hosted.recent_proof import sign_in_first
from pools.services import access
from pools.services.people import passwords
from pools.services.pools import app_clients
from pools.services.tokens.interactions import Kind
from pools.web.browser import PageState
from pools.web.page_request import PageRequest, account_name
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpResponse


@page(app=False)
def account_password(page_request: PageRequest) -> HttpResponse:
    """Ask for the current password and a new one."""
    session = page_request.browser.signed_in_session()
    if session is None:
        return sign_in_first(page_request, PageState(), Kind.ACCOUNT_PASSWORD)
    form = OwnPasswordForm(
        page_request.pool,
        account_name(session),
        page_request.request.POST if page_request.is_form else None,
    )
    if form.is_bound and check(page_request, form):
        given = {"previous": form.cleaned_data["password"], "proposed": form.cleaned_data["new_password"]}
        user = access.user_by_sub(page_request.pool, session.person.sub)
        try:
            passwords.change(
                page_request.pool, user, **given, receipt=page_request.receipt, by=page_request.by_user(session)
            )
        except errors.DomainError as refusal:
            form.add_refusal(wording.of_own_password(refusal), refusal)
        else:
            return page_request.go("account", PageState(notice="own_password_changed"))
    return page_request.show("account_password", form=form.focus(), policy=policy_list(page_request.pool))


def check(page_request: PageRequest, form: OwnPasswordForm) -> bool:
    """Say whether nothing is wrong that can be seen without the account, and put what is at its fields."""
    form.full_clean()
    return form.add_refusals(passwords.problems(page_request.pool, form.given("new_password")), wording.of_own_password)


@page(app=False, methods=("GET", "HEAD"))
def change_password(page_request: PageRequest) -> HttpResponse:
    """Lead to that page (W3C: A Well-Known URL for Changing Passwords).

    Whoever is signed out has to sign in first, and nobody does that but for an app.
    """
    client = page_request.client or app_clients.oldest_with_pages(page_request.pool)
    query = f"?{urlencode({'client_id': client.client_id})}" if client else ""
    return HttpResponseRedirect(page_request.plain_url("account_password") + query)
