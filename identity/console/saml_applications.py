"""Pages of the applications that a pool is a SAML identity provider for: list, register, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from identity.console import forms, receipts, wording
from identity.console.guard import actor, redirect_with_message, render
from identity.console.pages import PAGE, READY, SAVED, inside, page_token, pager, show_list
from identity.console.saml_forms import ApplicationForm
from identity.console.tables import Cell, Column, Empty, Table, Text, moment
from identity.foundation import errors
from pools.services import access
from pools.services.providers import our_side, saml_applications

if TYPE_CHECKING:
    from pools.models import SamlApplication, UserPool

ADD = gettext_lazy("Register an application")
TAB = "saml"


def crumbs(pool: UserPool, application: SamlApplication | None = None) -> list[tuple[Text, str]]:
    """Return the way back to a pool's applications, or to one of them."""
    way: list[tuple[Text, str]] = [
        (pool.name, reverse("console:pool", args=[pool.public_id])),
        (gettext("SAML applications"), reverse("console:saml_applications", args=[pool.public_id])),
    ]
    return way if application is None else [*way, (application.client.name, address(pool, application))]


def address(pool: UserPool, application: SamlApplication, name: str = "saml_application") -> str:
    """Return the address of one of an application's pages."""
    return reverse(f"console:{name}", args=[pool.public_id, application.id])


@require_safe
def applications(request: HttpRequest, pool_id: str) -> HttpResponse:
    """List a pool's applications."""
    pool = access.pool(pool_id)
    try:
        page = saml_applications.page(pool, PAGE, page_token(request))
    except errors.Invalid:
        return HttpResponseRedirect(request.path)
    new = reverse("console:new_saml_application", args=[pool_id])
    table = Table(
        caption=gettext("SAML applications"),
        columns=(
            Column(gettext("App")),
            Column(gettext("Entity ID")),
            Column(gettext("Created"), wide_only=True),
        ),
        rows=[
            (Cell(row.client.name, href=address(pool, row)), Cell(row.entity_id), moment(row.created_at))
            for row in page.rows
        ],
        empty=Empty(
            gettext("No SAML application yet"),
            gettext("One that speaks SAML 2.0 and no OpenID Connect has people sign in here too."),
            action=ADD,
            href=new,
        ),
        **pager(request, page.token),
    )
    return show_list(request, "saml_applications.html", inside(pool, TAB, table=table, new=new))


@require_http_methods(["GET", "HEAD", "POST"])
def new_application(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Register an application, by its metadata or by hand."""
    pool = access.pool(pool_id)
    form = ApplicationForm(request.POST or None, pool=pool, client_id=request.GET.get("app", "")[:128])
    if request.method == "POST" and form.is_valid() and form.client is not None:
        try:
            made = saml_applications.create(
                pool, form.client, form.settings, receipt=receipts.of(request), by=actor(request)
            )
        except saml_applications.ApplicationExists as problem:
            form.clean_or_blame("entity_id" if problem.code == "entity_id_taken" else "client_id", wording.of(problem))
        except errors.LimitExceeded as problem:
            form.clean_or_blame(None, wording.of(problem))
        else:
            return redirect_with_message(request, READY % {"name": form.client.name}, address(pool, made))
    context = inside(pool, TAB, title=ADD, form=form, ours=our_side.issuing(pool))
    context["crumbs"] += crumbs(pool)
    return render(request, "new_saml_application.html", context, 422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def application(request: HttpRequest, pool_id: str, application_id: UUID) -> HttpResponse:
    """Show an application, and what it has to know of the pool; change what operators choose."""
    pool = access.pool(pool_id)
    row = saml_applications.by_id(pool, application_id)
    form = ApplicationForm(request.POST or None, pool=pool, application=row)
    if request.method == "POST" and form.is_valid():
        try:
            changed = saml_applications.update(row, form.settings, receipt=receipts.of(request), by=actor(request))
        except saml_applications.ApplicationExists as problem:
            form.clean_or_blame("entity_id", wording.of(problem))
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        else:
            return redirect_with_message(request, SAVED % {"name": changed.client.name}, request.path)
    ours = our_side.issuing(pool)
    context = inside(
        pool,
        TAB,
        title=row.client.name,
        application=row,
        form=form,
        ours=ours,
        begins_at=f"{ours.sso_url}?{urlencode({'entity_id': row.entity_id})}" if row.allows_unasked else "",
        delete=address(pool, row, "delete_saml_application"),
    )
    context["crumbs"] += crumbs(pool)
    return render(request, "saml_application.html", context, 422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_application(request: HttpRequest, pool_id: str, application_id: UUID) -> HttpResponse:
    """Ask whether an application shall go, and delete it."""
    pool = access.pool(pool_id)
    row = saml_applications.by_id(pool, application_id)
    form = forms.Confirm(request.POST or None, name=row.client.name)
    title: Text = gettext("Delete this application?")
    if request.method == "POST" and form.is_valid():
        saml_applications.delete(row, receipt=receipts.of(request), by=actor(request))
        where = reverse("console:saml_applications", args=[pool_id])
        return redirect_with_message(request, gettext("%(name)s is deleted.") % {"name": row.client.name}, where)
    confirmation: dict[str, Any] = {
        "key": "delete",
        "change": {
            "title": title,
            "explanation": gettext("Nobody is signed in there any more. Its app stays, and so do all accounts."),
            "button": gettext("Delete the application"),
            "danger": True,
        },
        "form": form,
        "name": row.client.name,
        "action": request.path,
        "back": address(pool, row),
    }
    context = inside(pool, TAB, title=title, confirmation=confirmation)
    context["crumbs"] += crumbs(pool, row)
    return render(request, "confirm.html", context, 422 if form.is_bound else 200)
