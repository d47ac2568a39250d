"""Captured mail and SMS: a page and its JSON, for this machine only, while messages are captured."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from identity.console.guard import not_found, render
from pools.services.messages import mailbox


def on_this_machine(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show captured messages to nobody else, and nothing at all where messages are really sent."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        address = request.address  # type: ignore[attr-defined]
        if not mailbox.is_open() or not address or not ip_address(address).is_loopback:
            return not_found(request)
        return view(request)

    return guarded


@require_safe
@on_this_machine
def page(request: HttpRequest) -> HttpResponse:
    """Show captured messages, newest first."""
    to = request.GET.get("to", "").strip()[:2048].replace("\x00", "")
    context = {"section": "mailbox", "title": gettext("Mailbox"), "to": to, "found": mailbox.captured(to or None, 50)}
    template = "parts/messages.html" if request.htmx else "mailbox.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_safe
@on_this_machine
def as_json(request: HttpRequest) -> HttpResponse:
    """Return captured messages to an address, newest first."""
    to = request.GET.get("to", "")
    if len(to) > 2048 or "\x00" in to:  # noqa: PLR2004 - the column's width
        raise Http404
    found = [
        {
            "id": str(message.id),
            "channel": message.channel,
            "to": message.to,
            "subject": message.subject,
            "body": message.body,
            "created_at": message.created_at.isoformat(),
        }
        for message in mailbox.captured(to or None, 100)
    ]
    return JsonResponse(found, safe=False)
