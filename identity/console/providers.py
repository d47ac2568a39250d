"""Pages of a pool's identity providers: list, add by kind, change, delete, and how reading what they publish went.

Trying one is ``provider_trials``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from identity.console import forms, receipts, wording
from identity.console.guard import actor, redirect_with_message, render
from identity.console.pages import PAGE, READY, SAVED, inside, page_token, pager, show_list
from identity.console.provider_forms import ProviderForm
from identity.console.tables import Cell, Column, Empty, Table, moment, state
from identity.foundation import errors
from pools.services import access
from pools.services.pools import app_clients
from pools.services.providers import expiry, health, identity_providers, our_side, provider_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from identity.console.tables import Text
    from pools.models import IdentityProvider, UserPool
    from pools.ports import ProviderDocument

ADD = gettext_lazy("Add a provider")
DOCUMENTS: dict[str, Text] = {
    "discovery": gettext_lazy("Discovery"),
    "keys": gettext_lazy("Keys"),
    "metadata": gettext_lazy("Metadata"),
}
APPS = 25
"""How many apps a provider's page names."""


def crumbs(pool: UserPool, provider: IdentityProvider | None = None) -> list[tuple[Text, str]]:
    """Return the way back to a pool's providers, or to one of them."""
    way: list[tuple[Text, str]] = [
        (pool.name, reverse("console:pool", args=[pool.public_id])),
        (gettext("Identity providers"), reverse("console:providers", args=[pool.public_id])),
    ]
    return way if provider is None else [*way, (provider.name, address(pool, provider))]


def address(pool: UserPool, provider: IdentityProvider, name: str = "provider") -> str:
    """Return the address of one of a provider's pages."""
    return reverse(f"console:{name}", args=[pool.public_id, provider.id])


def shared_with_it(pool: UserPool, provider_type: str) -> dict[str, str]:
    """Return what has to be registered at a provider of a kind, as the pages show it."""
    ours, about = our_side.of(pool, provider_type), provider_rules.about(provider_type)
    shared = {"callback": ours.callback}
    if about is not None and about.introduction:
        shared |= {"entity_id": ours.entity_id, "introduction": our_side.address(pool, about.introduction)}
    return shared


def kind_label(provider_type: str) -> Text:
    """Return what operators call a kind; Amazon's name of one that this release does not have."""
    about = provider_rules.about(provider_type)
    return about.label if about is not None else provider_type


def health_of(documents: Sequence[ProviderDocument]) -> Cell:
    """Return how reading all that a provider publishes went, as a badge."""
    if not documents:
        return Cell("–")
    if any(each.problem for each in documents):
        return state(gettext("Cannot be read"), "danger")
    if all(each.read_at for each in documents):
        return state(gettext("Read"), "good")
    return state(gettext("Not asked yet"))


@require_safe
def providers(request: HttpRequest, pool_id: str) -> HttpResponse:
    """List a pool's identity providers."""
    pool = access.pool(pool_id)
    try:
        page = identity_providers.page(pool, PAGE, page_token(request))
    except errors.Invalid:
        return HttpResponseRedirect(request.path)
    new = reverse("console:provider_kinds", args=[pool_id])
    table = Table(
        caption=gettext("Identity providers"),
        columns=(
            Column(gettext("Name")),
            Column(gettext("Kind"), wide_only=True),
            Column(gettext("What it publishes")),
            Column(gettext("Created"), wide_only=True),
        ),
        rows=[
            (
                Cell(row.name, href=address(pool, row)),
                Cell(kind_label(row.type)),
                health_of(health.of(row)),
                moment(row.created_at),
            )
            for row in page.rows
        ],
        empty=Empty(
            gettext("No identity provider yet"),
            gettext("With one, people sign in by an account that they have elsewhere."),
            action=ADD,
            href=new,
        ),
        **pager(request, page.token),
    )
    return show_list(request, "providers.html", inside(pool, "providers", table=table, new=new))


@require_safe
def kinds(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Ask which kind of provider is to be added."""
    pool = access.pool(pool_id)
    taken = {provider.name for provider in identity_providers.held(pool)}
    choices = [
        {
            "kind": kind,
            "href": reverse("console:new_provider", args=[pool_id, kind.slug]),
            "is_taken": kind.is_social and kind.type in taken,
        }
        for kind in provider_rules.kinds()
    ]
    context = inside(pool, "providers", title=ADD, choices=choices)
    context["crumbs"] += crumbs(pool)
    return render(request, "provider_kinds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_provider(request: HttpRequest, pool_id: str, kind: str) -> HttpResponse:
    """Add a provider of a kind."""
    pool = access.pool(pool_id)
    chosen = next((each for each in provider_rules.kinds() if each.slug == kind), None)
    if chosen is None:
        raise errors.NotFound
    form = ProviderForm(request.POST or None, kind=chosen, pool=pool)
    if request.method == "POST" and form.is_valid():
        try:
            made = identity_providers.create(
                pool,
                form.name,
                kind=chosen.type,
                details=form.details(),
                attribute_mapping=form.mapping(),
                identifiers=form.cleaned_data["identifiers"],
                asks_second_factor=form.cleaned_data["asks_second_factor"],
                signs_out=form.cleaned_data.get("signs_out", False),
                receipt=receipts.of(request),
                by=actor(request),
            )
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        except identity_providers.ProviderExists as problem:
            form.clean_or_blame("provider_name", wording.of(problem))
        except errors.LimitExceeded as problem:
            form.clean_or_blame(None, wording.of(problem))
        else:
            return redirect_with_message(request, READY % {"name": made.name}, address(pool, made))
    context = inside(pool, "providers", title=gettext("Add %(kind)s") % {"kind": chosen.label}, form=form)
    context |= {"kind": chosen, **shared_with_it(pool, chosen.type)}
    context["crumbs"] += [*crumbs(pool), (ADD, reverse("console:provider_kinds", args=[pool_id]))]
    return render(request, "new_provider.html", context, 422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def provider(request: HttpRequest, pool_id: str, provider_id: UUID) -> HttpResponse:
    """Show a provider: its redirect URI, how reading what it publishes went, its apps; change what operators choose."""
    pool = access.pool(pool_id)
    row = identity_providers.by_id(pool, provider_id)
    kind = provider_rules.about(row.type)
    form = ProviderForm(request.POST or None, kind=kind, pool=pool, provider=row) if kind is not None else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            changed = identity_providers.update(
                pool,
                row.name,
                changes=form.changes(),
                keeps_details=True,
                receipt=receipts.of(request),
                by=actor(request),
            )
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        except (identity_providers.ProviderChanged, identity_providers.ProviderNotSupported) as problem:
            form.clean_or_blame(None, wording.of(problem))
        else:
            return redirect_with_message(request, SAVED % {"name": changed.name}, request.path)
    documents = health.of(row)
    context = inside(
        pool,
        "providers",
        title=row.name,
        provider=row,
        kind=kind,
        kind_label=kind_label(row.type),
        form=form,
        **shared_with_it(pool, row.type),
        documents=[(DOCUMENTS[each.what], each, why(each)) for each in documents],
        health=health_of(documents),
        refused=health.refused(row),
        ends_soon=expiry.is_soon(row),
        apps=app_clients.naming_provider(pool, row.name, APPS),
        check=address(pool, row, "check_provider"),
        trial=address(pool, row, "try_provider"),
        delete=address(pool, row, "delete_provider"),
    )
    context["crumbs"] += crumbs(pool)
    return render(request, "provider.html", context, 422 if request.method == "POST" else 200)


def why(document: ProviderDocument) -> str:
    """Say why a document could not be read; empty where it could."""
    return wording.of_code(document.problem, document.parameters) if document.problem else ""


@require_http_methods(["POST"])
def check_provider(request: HttpRequest, pool_id: str, provider_id: UUID) -> HttpResponse:
    """Ask a provider for what it publishes, now, and say how that went."""
    pool = access.pool(pool_id)
    row = identity_providers.by_id(pool, provider_id)
    where = address(pool, row)
    failed = [each for each in health.check(row, receipt=receipts.of(request)) if each.problem]
    if not failed:
        text = gettext("%(name)s answers: what it publishes was read.") % {"name": row.name}
        return redirect_with_message(request, text, where)
    told = " ".join(f"{DOCUMENTS[each.what]}: {why(each)}" for each in failed)
    return redirect_with_message(request, told, where, level=messages.ERROR)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_provider(request: HttpRequest, pool_id: str, provider_id: UUID) -> HttpResponse:
    """Ask whether a provider shall go, and delete it."""
    pool = access.pool(pool_id)
    row = identity_providers.by_id(pool, provider_id)
    form = forms.Confirm(request.POST or None, name=row.name)
    title: Text = gettext("Delete this provider?")
    if request.method == "POST" and form.is_valid():
        identity_providers.delete(pool, row.name, receipt=receipts.of(request), by=actor(request))
        where = reverse("console:providers", args=[pool_id])
        return redirect_with_message(request, gettext("%(name)s is deleted.") % {"name": row.name}, where)
    confirmation: dict[str, Any] = {
        "key": "delete",
        "change": {
            "title": title,
            "explanation": gettext(
                "Nobody can sign in by it any more. The accounts of those who came by it stay, and so do apps that "
                "name it; their details here are gone for good."
            ),
            "button": gettext("Delete the provider"),
            "danger": True,
        },
        "form": form,
        "name": row.name,
        "action": request.path,
        "back": address(pool, row),
    }
    context = inside(pool, "providers", title=title, confirmation=confirmation)
    context["crumbs"] += crumbs(pool, row)
    return render(request, "confirm.html", context, 422 if form.is_bound else 200)
