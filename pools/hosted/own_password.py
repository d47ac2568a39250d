"""Changing one's own password while signed in, and the address at which password managers look for that page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import HttpResponseRedirect

from identity.foundation import errors
from pools.hosted import wording
from pools.hosted.authenticator import prove_first, shown_name
from pools.hosted.browser import Step
from pools.hosted.forms import OwnPasswordForm, policy_list
from pools.hosted.visit import Visit, page
from pools.services import access
from pools.services.people import passwords
from pools.services.pools import app_clients

if TYPE_CHECKING:
    from django.http import HttpResponse


@page(app=False)
def account_password(visit: Visit) -> HttpResponse:
    """Ask for the current password and a new one."""
    session = visit.browser.current()
    if session is None:
        return prove_first(visit, Step(), "account_password")
    form = OwnPasswordForm(
        visit.pool, shown_name(session), visit.request.POST if visit.request.method == "POST" else None
    )
    if form.is_bound and is_right(visit, form):
        given = {"previous": form.cleaned_data["password"], "proposed": form.cleaned_data["new_password"]}
        user = access.user_by_sub(visit.pool, session.person.sub)
        try:
            passwords.change(visit.pool, user, **given, receipt=visit.receipt, by=visit.by_user(session))
        except errors.DomainError as problem:
            form.tell(wording.of_own_password(problem), problem)
        else:
            return visit.go("account", Step(notice="own_password_changed"))
    return visit.show("account_password", form=form.focused(), policy=policy_list(visit.pool))


def is_right(visit: Visit, form: OwnPasswordForm) -> bool:
    """Say whether nothing is wrong that can be seen without the account, and put what is at its fields."""
    form.full_clean()
    return form.judge(passwords.problems(visit.pool, form.given("new_password")), wording.of_own_password)


@page(app=False, methods=("GET", "HEAD"))
def change_password(visit: Visit) -> HttpResponse:
    """Lead to that page (W3C: A Well-Known URL for Changing Passwords).

    Whoever is signed out has to sign in first, and nobody does that but for an app.
    """
    client = visit.client or app_clients.first_of_pages(visit.pool)
    query = f"?{urlencode({'client_id': client.client_id})}" if client else ""
    return HttpResponseRedirect(visit.plain_url("account_password") + query)
