"""Pages about what went wrong, for every address of a pool: explained in our own words, with the request's id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils.translation import gettext_lazy

from identity.foundation import connections
from pools.services.pools import redirect_mismatches
from pools.web import request_context

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    from pools.services.pools.redirect_mismatches import Mismatch


@dataclass(frozen=True, slots=True)
class Problem:
    """A page about something that stopped."""

    title: str | _StrPromise
    text: str | _StrPromise
    again: str = ""
    """``same``: load the page once more; ``start``: sign-in from its beginning."""


NO_SIGN_UP = gettext_lazy("New accounts are made by an administrator here.")
PROBLEMS: dict[str, Problem] = {
    "no_client": Problem(
        gettext_lazy("This link is incomplete"),
        gettext_lazy("It doesn't say which app you are signing in to. Go back to the app and start again."),
    ),
    "unknown_client": Problem(
        gettext_lazy("We don't know this app"),
        gettext_lazy("The app that sent you here is not registered. Go back to it, or tell the people who run it."),
    ),
    "no_pages": Problem(
        gettext_lazy("This app has no sign-in pages"),
        gettext_lazy(
            "Nobody signs in to it, or it asks for that itself. Go back to it, or tell the people who run it."
        ),
    ),
    "redirect_mismatch": Problem(
        gettext_lazy("This app is not set up right"),
        gettext_lazy("It asked to send you to an address that isn't registered for it, so you stay here, safely."),
    ),
    "invalid_request": Problem(
        gettext_lazy("This request can't be read"),
        gettext_lazy("Something in it is missing, doubled or too long. Go back to the app and start again."),
        again="start",
    ),
    "other_account": Problem(
        gettext_lazy("Somebody else is signed in"),
        gettext_lazy("This browser is signed in to another account, so nobody was signed out."),
    ),
    "expired": Problem(
        gettext_lazy("This sign-in has expired"),
        gettext_lazy("Nothing is lost. Start again from the app."),
        again="start",
    ),
    "form_refused": Problem(
        gettext_lazy("Please load the page again"),
        gettext_lazy(
            "It was open for too long, you signed in from another tab, or your browser blocks cookies. "
            "Cookies of this site are needed to sign in."
        ),
        again="same",
    ),
    "busy": Problem(
        gettext_lazy("Very busy just now"),
        gettext_lazy("More people are signing in than can be served at once. Try again in a few seconds."),
        again="same",
    ),
    "unavailable": Problem(
        gettext_lazy("Not available just now"),
        gettext_lazy("We can't look anything up at the moment, so nobody can sign in. Try again in a few seconds."),
        again="same",
    ),
    "not_found": Problem(
        gettext_lazy("Page not found"), gettext_lazy("There is nothing at this address. Check it for typing errors.")
    ),
    "method": Problem(gettext_lazy("That's not possible here"), gettext_lazy("Go back and try another way.")),
    "closed": Problem(
        gettext_lazy("Sign-up is closed"),
        NO_SIGN_UP,
        again="start",
    ),
    "no_second_factor": Problem(
        gettext_lazy("There is no second step here"), gettext_lazy("A password alone signs you in."), again="start"
    ),
    "refused": Problem(
        gettext_lazy("That didn't work"),
        gettext_lazy("Start again. If it happens again, tell us the reference below."),
        again="start",
    ),
    "no_trigger": Problem(
        gettext_lazy("This can't be done here yet"),
        gettext_lazy(
            "The people who run this app want a check that can't be made here. Tell them the reference below."
        ),
    ),
    "no_such_step": Problem(
        gettext_lazy("This sign-in can't go on here"),
        gettext_lazy(
            "It needs a step that these pages don't have. Tell the people who run the app the reference below."
        ),
        again="start",
    ),
    "unknown_provider": Problem(
        gettext_lazy("That way to sign in is not known here"),
        gettext_lazy("Choose another one."),
        again="start",
    ),
    "unknown_organisation": Problem(
        gettext_lazy("That address is of no organisation here"),
        gettext_lazy("Check it for typing errors, or choose another way to sign in."),
        again="start",
    ),
    "provider_denied": Problem(
        gettext_lazy("You were not signed in"),
        gettext_lazy("The sign-in was cancelled, or refused where you were sent. Try again, or choose another way."),
        again="start",
    ),
    "provider_refused": Problem(
        gettext_lazy("That sign-in could not be checked"),
        gettext_lazy(
            "What came back from there is not what we asked for, so nobody was signed in. Try again; if it stays, "
            "tell the people who run the app the reference below."
        ),
        again="start",
    ),
    "provider_sign_out_refused": Problem(
        gettext_lazy("That message could not be checked"),
        gettext_lazy(
            "It says that somebody has signed out elsewhere, and is not what their provider sends. Nobody was signed "
            "out by it here."
        ),
    ),
    "application_refused": Problem(
        gettext_lazy("This request could not be checked"),
        gettext_lazy(
            "It is not what a registered app sends, so nobody was signed in or out. Go back to the app and start "
            "again; if it stays, tell the people who run it the reference below."
        ),
    ),
    "provider_away": Problem(
        gettext_lazy("The other side does not answer"),
        gettext_lazy("Nobody can sign in that way just now. Try again in a moment, or choose another way."),
        again="start",
    ),
    "provider_unfit": Problem(
        gettext_lazy("Your account can't be used here"),
        gettext_lazy(
            "What came back about it does not fit what this app asks of everybody. Tell the people who run the app "
            "the reference below, or choose another way."
        ),
        again="start",
    ),
    "provider_expired": Problem(
        gettext_lazy("This sign-in is over"),
        gettext_lazy(
            "It was finished already, began in another browser, or took too long. If you are not signed in, go back "
            "to the app and start again."
        ),
        again="start",
    ),
    "locked": Problem(
        gettext_lazy("Too many tries"),
        gettext_lazy("Somebody tried wrong passwords for this account. Wait a while, then try again."),
        again="start",
    ),
    "disabled": Problem(
        gettext_lazy("This account is switched off"),
        gettext_lazy("Ask the people who run the app about it."),
        again="start",
    ),
    "server_error": Problem(
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("Try again in a moment. If it stays, tell us the reference below."),
    ),
}


def show(  # noqa: PLR0913 - a page has these parts
    request: HttpRequest,
    kind: str,
    *,
    status: int,
    app_name: str = "",
    same_page: str = "",
    start_page: str = "",
    retry_after: int = 0,
    mismatch: Mismatch | None = None,
) -> HttpResponse:
    """Render an explanation of what stopped, with the request's id and, where that helps, a way to start again.

    That is ``same_page`` or ``start_page``, whichever the problem asks for, if the caller knows it.
    """
    problem = PROBLEMS.get(kind, PROBLEMS["invalid_request"])
    response = render(
        request,
        "hosted/problem.html",
        {
            "problem": problem,
            "app_name": app_name,
            "failed": True,
            "retry": same_page if problem.again == "same" else "",
            "restart": start_page if problem.again == "start" else "",
            "mismatch": mismatch if redirect_mismatches.is_shown() else None,
            "request_id": (mismatch and mismatch.reference) or request_context.request_id(request),
        },
        status=status,
    )
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address of a pool at which there is nothing."""
    del exception
    return show(request, "not_found", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke; the log has the cause under the reference that the page shows.

    Asks the database nothing, which may be what is away.
    """
    if connections.is_cause():
        # A form is not sent again by a link.
        same_page = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
        return show(request, "unavailable", status=503, same_page=same_page, retry_after=connections.RETRY_SECONDS)
    return show(request, "server_error", status=500)
