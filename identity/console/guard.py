"""Who may open a page: operators who showed a password and a second factor in this session, nobody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as django_render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy
from django.views import defaults

from identity.console import receipts, wording
from identity.console.problems import problem_response
from identity.foundation import connections, errors
from identity.foundation.actor import Actor
from identity.models import Operator
from pools.services.messages import mailbox

View = Callable[..., HttpResponse]
SAFE = {"GET", "HEAD"}
STALE = "CSRF "
"""How Django's reasons begin that are about the token; the others are about another site."""
LOADED_AGAIN = gettext_lazy(
    "This page was loaded again, because it was open for too long or your browser keeps no cookies: "
    "check it, then send it once more."
)


def is_proven(request: HttpRequest) -> bool:
    """Say whether this session's operator showed both factors."""
    return bool(request.user.is_authenticated and request.user.is_verified())  # type: ignore[attr-defined]


def operator(request: HttpRequest) -> Operator:
    """Return the operator behind a guarded page."""
    return cast("Operator", request.user)


def actor(request: HttpRequest, who: Operator | None = None) -> Actor:
    """Return who acts, for audit; a visitor where nobody has proven anything yet."""
    known = who or (operator(request) if request.user.is_authenticated else None)
    address, request_id = request.address, request.request_id  # type: ignore[attr-defined]
    if known is None:
        return Actor.visitor(address=address, request_id=request_id)
    return Actor.operator(str(known.pk), address=address, request_id=request_id)


def render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page inside the shell."""
    shell = {"proven": is_proven(request), "mailbox_open": mailbox.is_open()}
    return django_render(request, f"console/{template}", {**shell, **context}, status=status)


def not_found(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """Tell that there is nothing here, or nothing any more."""
    return render(request, "not_found.html", {"title": gettext("Not found")}, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke: where the database is away, by a page that asks it nothing, nor for a session."""
    if not connections.is_cause():
        return defaults.server_error(request)
    headers = {"Retry-After": str(connections.RETRY_SECONDS)}
    if request.path_info.startswith(("/api/", "/dev/messages")) and not request.path_info.startswith("/api/docs/"):
        return problem_response(503, "unavailable", wording.UNAVAILABLE, headers=headers)
    where = request.get_full_path() if request.method in SAFE else reverse("console:pools")
    context = {
        "title": gettext("Not available just now"),
        "where": where,
        "request_id": getattr(request, "request_id", ""),
    }
    return HttpResponse(render_to_string("console/unavailable.html", context), status=503, headers=headers)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell that a form did not come from this console; show one again that came too late, or from another tab."""
    if request.path_info.startswith("/api/"):
        return problem_response(403, "csrf_refused", gettext("The CSRF token is missing or wrong."))
    if reason.startswith(STALE):
        messages.warning(request, str(LOADED_AGAIN))
        return receipts.show_again(request) or HttpResponseRedirect(receipts.own_page(request), status=303)
    return render(request, "refused.html", {"title": gettext("Form expired")}, 403)


def charset_refused(request: HttpRequest) -> HttpResponse:
    """Tell that nothing was read: it came in another charset."""
    if request.path_info.startswith("/api/"):
        return problem_response(400, "charset_refused", gettext("Send UTF-8."))
    return HttpResponse(gettext("Send this form in UTF-8."), status=400, content_type="text/plain; charset=utf-8")


def inner_path(path: str) -> str:
    """Return a path inside the console to go on to; the front page for anything else."""
    inside = path.startswith(("/console/", "/api/docs/")) and "\\" not in path
    if inside and url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return path
    return reverse("console:pools")


def signed_in(view: View) -> View:
    """Open a page only to a proven operator; anyone else is sent to sign in, and comes back."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not is_proven(request):
            return to_sign_in(request)
        try:
            return view(request, **kwargs)
        except (errors.NotFound, Http404):
            return not_found(request)
        except errors.Overloaded as busy:
            answer = render(request, "busy.html", {"title": gettext("Busy")}, 503)
            answer.headers["Retry-After"] = str(busy.retry_after)
            return answer

    return guarded


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send to the sign-in page, with the way back where there is a page to come back to."""
    way_back = request.get_full_path() if request.method in SAFE and not request.htmx else ""  # type: ignore[attr-defined]
    where = reverse("console:sign_in") + ("?" + urlencode({"next": way_back}) if way_back else "")
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=401, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


def redirect_with_message(
    request: HttpRequest, text: str, where: str, *, level: int = messages.SUCCESS
) -> HttpResponse:
    """Go somewhere after a form, and say there what happened."""
    messages.add_message(request, level, text)
    return HttpResponseRedirect(where, status=303)
