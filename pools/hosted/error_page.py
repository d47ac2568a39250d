"""The page that others send people to, about what went wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.csrf import csrf_exempt

from identity.foundation import errors
from pools.services.pools import redirect_mismatches
from pools.web import problem_pages, request_context

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from pools.services.pools.redirect_mismatches import Mismatch


@csrf_exempt
def error(request: HttpRequest) -> HttpResponse:
    """Explain an error that the address names. Only our own words are shown, whatever else it says."""
    kind = request.GET.get("error", "")
    mismatch = mismatch_of(request) if kind == "redirect_mismatch" else None
    return problem_pages.show(request, kind, status=400, mismatch=mismatch)


def mismatch_of(request: HttpRequest) -> Mismatch | None:
    """Return the address that an app asked for in vain, from what was sealed for this page."""
    try:
        pool = request_context.pool_of(request)
    except errors.PoolNotFound:
        return None
    return redirect_mismatches.unsealed(pool, request.GET.get("mismatch", ""))
