"""An operator's own access keys: for the wire API, and for the management API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from identity.console import forms, receipts
from identity.console.guard import actor, operator, redirect_with_message, render
from identity.console.shown_once import keep_once, take_once
from identity.console.tables import Cell, Column, Empty, Table, code, moment, state
from identity.models import AccessKey
from pools.services.operators import operators


@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """List the operator's keys, and make one."""
    form = forms.NewKey(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made, secret = operators.create_key(
            operator(request),
            description=form.cleaned_data["description"],
            limits=form.limits(),
            receipt=receipts.of(request),
            by=actor(request),
        )
        keep_once(request, "key", f"{made} {secret}")
        return redirect_with_message(request, gettext("The access key is ready."), reverse("console:keys"))
    made, _, secret = take_once(request, "key").partition(" ")
    table = Table(
        caption=gettext("Your access keys"),
        columns=(
            Column(gettext("Key id")),
            Column(gettext("For"), wide_only=True),
            Column(gettext("May do")),
            Column(gettext("State")),
            Column(gettext("Last used"), wide_only=True),
            Column(gettext("Action")),
        ),
        rows=[_row(key) for key in operators.keys(operator(request))],
        empty=Empty(
            gettext("No access key yet"),
            gettext("Programs sign their calls with an access key. Make the first one below."),
        ),
    )
    context = {
        "section": "keys",
        "title": gettext("Access keys"),
        "table": table,
        "form": form,
        "made": made,
        "secret": secret,
    }
    return render(request, "keys.html", context, 422 if form.is_bound else 200)


def _row(key: AccessKey) -> tuple[Cell, ...]:
    live = key.disabled_at is None
    return (
        code(key.pk),
        Cell(key.description or "–"),
        Cell(allowed(key), href=reverse("console:limit_key", args=[key.pk]) if live else "", is_whole=True),
        state(gettext("Live"), "good") if live else state(gettext("Disabled")),
        moment(key.last_used_at),
        Cell(gettext("Disable…"), href=reverse("console:disable_key", args=[key.pk])) if live else Cell("–"),
    )


def allowed(key: AccessKey) -> str:
    """Say in a few words what a key may do, and to what."""
    actions, pools = len(key.actions or ()), len(key.pools or ())
    what = ngettext("%(count)d action", "%(count)d actions", actions) % {"count": actions} if actions else ""
    where = ngettext("%(count)d pool", "%(count)d pools", pools) % {"count": pools} if pools else ""
    if what and where:
        return gettext("%(actions)s, %(pools)s") % {"actions": what, "pools": where}
    return what or where or gettext("Everything")


@require_http_methods(["GET", "HEAD", "POST"])
def limit_key(request: HttpRequest, key_id: str) -> HttpResponse:
    """Show what a key may do, and change it. Only one's own."""
    key = operators.own_key(operator(request), key_id)
    form = forms.LimitKey(request.POST or None, initial={"actions": key.actions or [], "pools": key.pools or []})
    if request.method == "POST" and form.is_valid():
        operators.limit_key(key_id, form.limits(), receipt=receipts.of(request), by=actor(request))
        text = gettext("What %(name)s may do is changed, from its next call on.") % {"name": key_id}
        return redirect_with_message(request, text, reverse("console:keys"))
    context = {
        "section": "keys",
        "title": gettext("What this key may do"),
        "crumbs": [(gettext("Access keys"), reverse("console:keys"))],
        "key": key,
        "form": form,
    }
    return render(request, "key.html", context, 422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def disable_key(request: HttpRequest, key_id: str) -> HttpResponse:
    """Ask whether a key shall end, and end it. Only one's own."""
    operators.own_key(operator(request), key_id)
    form = forms.Confirm(request.POST or None, name=key_id)
    if request.method == "POST" and form.is_valid():
        operators.disable_key(key_id, receipt=receipts.of(request), by=actor(request))
        return redirect_with_message(
            request, gettext("%(name)s is disabled.") % {"name": key_id}, reverse("console:keys")
        )
    context = {
        "section": "keys",
        "title": gettext("Disable this key?"),
        "crumbs": [(gettext("Access keys"), reverse("console:keys"))],
        "confirmation": {
            "key": "disable",
            "change": {
                "title": gettext("Disable this key?"),
                "explanation": gettext(
                    "Programs that use it are refused from the next call on. This cannot be undone."
                ),
                "button": gettext("Disable key"),
                "danger": True,
            },
            "form": form,
            "name": key_id,
            "action": request.path,
            "back": reverse("console:keys"),
        },
    }
    return render(request, "confirm.html", context, 422 if form.is_bound else 200)
