"""Pages about what went wrong: addresses that lead nowhere, and the page that others send people to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.csrf import csrf_exempt

from identity.foundation import connections, errors
from pools.hosted import wording
from pools.hosted.visit import problem
from pools.services import access
from pools.services.pools import redirect_mismatches

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from pools.services.pools.redirect_mismatches import Mismatch


@csrf_exempt
def error(request: HttpRequest) -> HttpResponse:
    """Explain an error that is named in the address. Only our own words are shown, whatever else it says."""
    named = request.GET.get("error", "")
    mismatch = mismatch_of(request) if named == "redirect_mismatch" else None
    return problem(request, named if named in wording.PROBLEMS else "invalid_request", status=400, mismatch=mismatch)


def mismatch_of(request: HttpRequest) -> Mismatch | None:
    """Return the address that an app asked for in vain, from what was sealed for this page."""
    try:
        pool = access.pool(getattr(request, "pool", None) or "")
    except errors.PoolNotFound:
        return None
    return redirect_mismatches.unsealed(pool, request.GET.get("mismatch", ""))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address of a pool at which there is nothing."""
    del exception
    return problem(request, "not_found", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke; the log has the cause under the reference that the page shows.

    Asks the database nothing, which may be what is away.
    """
    if connections.is_cause():
        # A form is not sent again by a link.
        retry = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
        return problem(request, "unavailable", status=503, retry=retry, retry_after=connections.RETRY_SECONDS)
    return problem(request, "server_error", status=500)
