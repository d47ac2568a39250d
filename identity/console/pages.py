"""Pages of pools and their app clients: each reads a form, calls one service, shows a table or facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from identity.console import event_names, forms, receipts, wording
from identity.console.guard import actor, redirect_with_message, render
from identity.console.settings_form import settings_form
from identity.console.shown_once import keep_once, take_once
from identity.console.tables import Cell, Column, Empty, Table, Text, code, moment, state
from identity.foundation import errors, names
from pools.services import access, audit
from pools.services.messages import deliveries
from pools.services.operators import operators
from pools.services.pools import (
    app_clients,
    client_secrets,
    client_settings,
    deciding_attributes,
    pool_settings,
    resource_servers,
    user_pools,
)
from pools.services.providers import saml_applications

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool

PAGE = 25
CREATE_POOL = gettext_lazy("Create a user pool")
READY = gettext_lazy("%(name)s is ready.")
SAVED = gettext_lazy("The settings of %(name)s are saved.")
FLOWS = {
    "ALLOW_ADMIN_USER_PASSWORD_AUTH": gettext_lazy("Password, sent by a server with AWS keys"),
    "ALLOW_CUSTOM_AUTH": gettext_lazy("Challenges of your own"),
    "ALLOW_USER_PASSWORD_AUTH": gettext_lazy("Password, sent by the app"),
    "ALLOW_USER_SRP_AUTH": gettext_lazy("Password, proven without being sent (SRP)"),
    "ALLOW_REFRESH_TOKEN_AUTH": gettext_lazy("Refresh tokens"),
    "ALLOW_USER_AUTH": gettext_lazy("The user chooses how"),
    "ALLOW_TOKEN_EXCHANGE_DELEGATION": gettext_lazy("Token exchange, on behalf of a user"),
    "ALLOW_TOKEN_EXCHANGE_IMPERSONATION": gettext_lazy("Token exchange, as a user"),
}
"""A client's flows in words; the wire's names stand beside them."""
TABS = (
    ("overview", gettext_lazy("Overview"), "console:pool"),
    ("apps", gettext_lazy("Apps"), "console:apps"),
    ("users", gettext_lazy("Users"), "console:users"),
    ("providers", gettext_lazy("Identity providers"), "console:providers"),
    ("saml", gettext_lazy("SAML applications"), "console:saml_applications"),
    ("events", gettext_lazy("Audit"), "console:audit"),
)
Crumbs = list[tuple[Text, str]]


def page_token(request: HttpRequest) -> str | None:
    """Return the page that is asked for."""
    return request.GET.get("page") or None


def pager(request: HttpRequest, token: str | None) -> dict[str, str]:
    """Return where the next page and the first page are, keeping what was searched for."""
    kept = {name: value for name, value in request.GET.items() if name != "page"}
    paging = {"next_page": "", "first_page": ""}
    if token:
        paging["next_page"] = f"{request.path}?{urlencode({**kept, 'page': token})}"
    if page_token(request):
        paging["first_page"] = f"{request.path}?{urlencode(kept)}" if kept else request.path
    return paging


def show_list(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Show a page with a list; only the list where htmx asks for that, and not for another part of the page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    if htmx and not htmx.history_restore_request and htmx.target in {None, context["table"].id}:
        template = "parts/table.html"
    return render(request, template, context, status)


def inside(pool: UserPool, tab: str, **context: Any) -> dict[str, Any]:
    """Return what each page inside a pool shows: the pool, its tabs, the way back."""
    tabs = [(label, reverse(name, args=[pool.public_id]), key == tab) for key, label, name in TABS]
    named = next(label for key, label, _ in TABS if key == tab)
    crumbs: Crumbs = [(gettext("Pools"), reverse("console:pools"))]
    usual = {"pool": pool, "tabs": tabs, "tab": named, "crumbs": crumbs, "title": pool.name}
    return {"section": "pools", **usual, **context}


@require_safe
def pools(request: HttpRequest) -> HttpResponse:
    """List pools."""
    try:
        page = user_pools.page(PAGE, page_token(request))
    except errors.Invalid:
        return HttpResponseRedirect(request.path)
    new = reverse("console:new_pool")
    table = Table(
        caption=gettext("User pools"),
        columns=(
            Column(gettext("Name")),
            Column(gettext("Pool id")),
            Column(gettext("MFA"), wide_only=True),
            Column(gettext("Created"), wide_only=True),
        ),
        rows=[
            (
                Cell(pool.name, href=reverse("console:pool", args=[pool.public_id])),
                code(pool.public_id),
                Cell(str(forms.MFA.get(pool.mfa, pool.mfa))),
                moment(pool.created_at),
            )
            for pool in page.rows
        ],
        empty=Empty(
            gettext("No user pool yet"),
            gettext(
                "A user pool is a directory of people with its own sign-in pages and tokens. "
                "Create one here, or with any Cognito client: it appears at once."
            ),
            command="aws cognito-idp create-user-pool --pool-name my-app",
            action=CREATE_POOL,
            href=new,
        ),
        **pager(request, page.token),
    )
    context = {"section": "pools", "title": gettext("User pools"), "table": table, "new": new, "create": CREATE_POOL}
    return show_list(request, "list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_pool(request: HttpRequest) -> HttpResponse:
    """Create a user pool."""
    form = forms.NewPool(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = user_pools.create(
                form.cleaned_data["name"], settings=form.settings(), receipt=receipts.of(request), by=actor(request)
            )
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        else:
            return redirect_with_message(
                request, READY % {"name": made.name}, reverse("console:pool", args=[made.public_id])
            )
    crumbs: Crumbs = [(gettext("Pools"), reverse("console:pools"))]
    context = {"section": "pools", "title": CREATE_POOL, "crumbs": crumbs, "form": form}
    return render(request, "new_pool.html", context, 422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def pool(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Show a pool: its addresses and rules; change what operators choose."""
    found = access.pool(pool_id)
    form = settings_form(pool_settings.TABLE, found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            changed = user_pools.update(found, form.changes(), receipt=receipts.of(request), by=actor(request))
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        else:
            return redirect_with_message(request, SAVED % {"name": changed.name}, request.path)
    issuer = names.issuer(found.public_id)
    policy = found.password_policy
    asks = [
        text
        for key, text in (
            ("require_uppercase", gettext("upper case")),
            ("require_lowercase", gettext("lower case")),
            ("require_numbers", gettext("a number")),
            ("require_symbols", gettext("a symbol")),
        )
        if policy.get(key, True)
    ]
    least = int(policy.get("minimum_length", 8))
    length = ngettext("At least %(least)d character", "At least %(least)d characters", least) % {"least": least}
    addresses = [
        (gettext("Pool id"), found.public_id),
        (gettext("ARN"), names.pool_arn(found.public_id)),
        (gettext("Issuer"), issuer),
        (gettext("Discovery"), f"{issuer}/.well-known/openid-configuration"),
        (gettext("Signing keys"), f"{issuer}/.well-known/jwks.json"),
    ]
    rules = [
        (gettext("Sign in by"), names_of(found.username_attributes or ["username", *found.alias_attributes])),
        (gettext("Usernames"), gettext("case-sensitive") if found.case_sensitive else gettext("not case-sensitive")),
        (gettext("Verified at sign-up"), names_of(found.auto_verified) or gettext("Nothing")),
        (
            gettext("Password"),
            length + (gettext(", with %(kinds)s") % {"kinds": ", ".join(asks)} if asks else ""),
        ),
        (gettext("Users (estimate)"), number_format(user_pools.estimated_users(found), force_grouping=True)),
    ]
    context = inside(
        found,
        "overview",
        addresses=addresses,
        rules=rules,
        self_made=deciding_attributes.find(found),
        form=form,
        without_effect=pool_settings.TABLE.without_effect(found),
        held_up=deliveries.waiting(found),
        first_app="" if app_clients.page(found, 1, None).rows else reverse("console:new_app", args=[found.public_id]),
    )
    return render(request, "pool.html", context, 422 if request.method == "POST" else 200)


@require_safe
def apps(request: HttpRequest, pool_id: str) -> HttpResponse:
    """List a pool's app clients."""
    found = access.pool(pool_id)
    try:
        page = app_clients.page(found, PAGE, page_token(request))
    except errors.Invalid:
        return HttpResponseRedirect(request.path)
    new = reverse("console:new_app", args=[found.public_id])
    table = Table(
        caption=gettext("App clients"),
        columns=(
            Column(gettext("Name")),
            Column(gettext("Client id")),
            Column(gettext("Kind"), wide_only=True),
            Column(gettext("Created"), wide_only=True),
        ),
        rows=[
            (
                Cell(row.name, href=reverse("console:app", args=[found.public_id, row.client_id])),
                code(row.client_id),
                state(kind_of(row)),
                moment(row.created_at),
            )
            for row in page.rows
        ],
        empty=Empty(
            gettext("No app yet"),
            gettext("Add the first app that people of this pool sign in to."),
            action=gettext("Add an app"),
            href=new,
        ),
        **pager(request, page.token),
    )
    return show_list(request, "apps.html", inside(found, "apps", table=table, new=new))


def names_of(attributes: Iterable[str]) -> str:
    """Return attributes as operators know them."""
    known = dict(forms.PREFIXES)
    return ", ".join(str(known.get(name, name)) for name in attributes)


def kind_of(client: AppClient) -> str:
    """Say in words what kind of app a client is; of one that registered itself, that it did."""
    if client.registered:
        return gettext("Registered with a token") if client.registered == "token" else gettext("Registered openly")
    if "client_credentials" in client.oauth_flows:
        return gettext("Machine")
    return gettext("With a secret") if client.confidential else gettext("Public")


@require_http_methods(["GET", "HEAD", "POST"])
def app(request: HttpRequest, pool_id: str, client_id: str) -> HttpResponse:
    """Show an app client, its secret only right after it was made; change what operators choose."""
    found = access.pool(pool_id)
    client = access.client_in(found, client_id)
    form = settings_form(client_settings.TABLE, client, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            changed = app_clients.update(client, form.changes(), receipt=receipts.of(request), by=actor(request))
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        except errors.ScopeUnknown as problem:
            form.clean_or_blame(None, wording.of(problem))
        else:
            return redirect_with_message(request, SAVED % {"name": changed.name}, request.path)
    facts = [
        (gettext("Kind"), kind_of(client)),
        (gettext("OAuth flows"), ", ".join(client.oauth_flows) or gettext("None")),
        (gettext("Scopes"), " ".join(client.scopes) or gettext("None")),
        (
            gettext("Refresh tokens"),
            gettext("Spent by each use") if client.rotation else gettext("Used again and again"),
        ),
    ]
    context = inside(
        found,
        "apps",
        title=client.name,
        client=client,
        facts=facts,
        flows=[(FLOWS.get(flow, flow), flow) for flow in sorted(app_clients.effective_flows(client))],
        secret=take_once(request, client.client_id),
        issuer=names.issuer(found.public_id),
        form=form,
        without_effect=client_settings.TABLE.without_effect(client),
        self_made=deciding_attributes.find(found, client),
        saml=saml_applications.of_client(client),
        has_pages=app_clients.has_pages(client),
    )
    context["crumbs"] += [
        (found.name, reverse("console:pool", args=[pool_id])),
        (gettext("Apps"), reverse("console:apps", args=[pool_id])),
    ]
    return render(request, "app.html", context, 422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def new_app(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Add an app client."""
    found = access.pool(pool_id)
    offered = [
        (f"{server.identifier}/{scope['name']}", f"{server.identifier}/{scope['name']}")
        for server in resource_servers.of(found)
        for scope in server.scopes
    ]
    form = forms.NewApp(request.POST or None, scopes=offered)
    if request.method == "POST" and form.is_valid():
        try:
            made = app_clients.create(
                found,
                form.cleaned_data["name"],
                settings=form.settings(),
                receipt=receipts.of(request),
                by=actor(request),
            )
        except errors.Invalid as problem:
            form.clean_or_blame(problem.field, wording.of(problem))
        except (errors.ScopeUnknown, errors.LimitExceeded) as problem:
            form.clean_or_blame(None, wording.of(problem))
        else:
            if made.confidential:
                keep_once(request, made.client_id, client_secrets.values(made)[0])
            where = reverse("console:app", args=[found.public_id, made.client_id])
            return redirect_with_message(request, READY % {"name": made.name}, where)
    context = inside(found, "apps", title=gettext("Add an app"), form=form, has_scopes=bool(offered))
    context["crumbs"] += [
        (found.name, reverse("console:pool", args=[pool_id])),
        (gettext("Apps"), reverse("console:apps", args=[pool_id])),
    ]
    return render(request, "new_app.html", context, 422 if form.is_bound else 200)


@require_safe
def events(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Show what happened lately in a pool."""
    found = access.pool(pool_id)
    rows = audit.latest(found)
    called = operators.usernames(row.actor_id for row in rows if row.actor_kind == "operator")
    table = Table(
        caption=gettext("Latest fifty changes and refusals"),
        columns=(
            Column(gettext("When")),
            Column(gettext("What")),
            Column(gettext("Who")),
            Column(gettext("About"), wide_only=True),
        ),
        rows=[
            (
                moment(row.written_at),
                event_names.badge(row.tag, is_refused=row.outcome == "refused"),
                Cell(event_names.actor(row.actor_kind), note=called.get(row.actor_id, row.actor_id)),
                code(row.subject) if row.subject else Cell("–"),
            )
            for row in rows
        ],
        empty=Empty(gettext("Nothing has happened yet"), gettext("Changes and refusals of this pool are listed here.")),
    )
    return show_list(request, "tabbed_list.html", inside(found, "events", table=table))
