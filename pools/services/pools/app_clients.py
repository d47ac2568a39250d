"""App clients of a pool: how people may sign in through them, where they are sent back to, and lifetimes.

Their secrets are ``client_secrets``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q

from identity.foundation import clock, names, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    ClientNotFound,
    Invalid,
    LimitExceeded,
)
from identity.foundation.paging import Page
from pools.models import AppClient, ClientSecret, SamlApplication, UserPool, app_client_rows, deletion
from pools.models.app_client_rows import App
from pools.services import access, atomic_part, audit, configuration, receipts
from pools.services.audit import Tag
from pools.services.pools import client_secrets, client_settings, deciding_attributes, registration_settings, schema
from pools.services.pools.client_rules import THE_POOL
from pools.services.pools.registration_settings import RegistrationRefused
from pools.services.receipts import Receipt

MAX_CLIENTS = 10_000
MAX_OPEN = 5_000
"""How many of them may have registered without a token: whoever they are, they leave operators room."""
DEFAULT_FLOWS = frozenset({"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"})
LEGACY_FLOWS = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY": "ALLOW_CUSTOM_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
}
Registered = AppClient.Registered
PAGES = "code"
"""The OAuth flow of the hosted pages."""
WRITABLE = frozenset(schema.STANDARD) - schema.VERIFIED - {"sub"}
READABLE = WRITABLE | schema.VERIFIED


def create(
    pool: UserPool,
    name: str,
    *,
    settings: Mapping[str, Any],
    registered: Registered = Registered.NOT,
    receipt: Receipt | None = None,
    by: Actor,
) -> AppClient:
    """Make a client, with Cognito's defaults for what is not given.

    Raises:
        Invalid, ScopeUnknown: a setting breaks a rule.
        LimitExceeded: the pool has ten thousand clients, or half of them registered themselves openly.
        RegistrationRefused: it registers itself, and the pool lets none do so any more.

    """
    secret = client_secrets.chosen(settings)
    client = AppClient(pool=pool, client_id=names.client_id(), confidential=secret is not None, registered=registered)
    others = {member: value for member, value in settings.items() if member not in client_secrets.SETTINGS}
    client_settings.TABLE.apply(client, {"client_name": name, **others})
    client.created_at = client.modified_at = clock.now()
    with atomic_part.begin() as part:
        # Strangers may be let in: who signs up meanwhile does not wait for them.
        row = access.lock_pool(part, pool, changes_key=False)
        if registered and not registration_settings.allowed_flows(row, registered):
            part.refuse(RegistrationRefused())
        part.refuse_if(_refusal_of_more(client))
        part.refuse_if(receipts.keep(receipt))
        client.save(force_insert=True)
        if secret is not None:
            client_secrets.sealed_row(client, secret, client.created_at).save(force_insert=True)
        detail: dict[str, Any] = {"name": client.name, "confidential": client.confidential}
        if registered:
            detail["registered"] = str(registered)
        audit.record(Tag.CLIENT_CREATED, pool=pool, subject=client.client_id, by=by, detail=detail)
        configuration.touch(pool)
    deciding_attributes.warn(pool)
    client_settings.TABLE.warn(client)
    return client


def _refusal_of_more(client: AppClient) -> LimitExceeded | None:
    """Return why a pool takes no more clients of a kind; its row is locked."""
    rows = AppClient.objects.filter(pool_id=client.pool_id)
    is_full = rows[:MAX_CLIENTS].count() >= MAX_CLIENTS
    if not is_full and client.registered == Registered.OPENLY:
        is_full = rows.filter(registered=Registered.OPENLY)[:MAX_OPEN].count() >= MAX_OPEN
    return LimitExceeded("The pool has too many app clients.", code="too_many_clients") if is_full else None


def update(
    client: AppClient, changes: Mapping[str, Any], *, whole: bool = False, receipt: Receipt | None = None, by: Actor
) -> AppClient:
    """Change settings of a client, named as in :func:`create`; ``whole``, what is left out goes back to its default.

    Raises:
        Invalid, ScopeUnknown: a setting breaks a rule, or cannot be changed.
        ClientNotFound: it was deleted meanwhile.
        AlreadyAccepted: the form that asks for it was accepted before.

    """
    if client_secrets.SETTINGS & changes.keys():
        raise Invalid("A client's secret cannot be changed by an update.", field="client_secret")
    table, pool = client_settings.TABLE, client.pool
    given = table.read(changes)
    with atomic_part.begin() as part:
        rows = AppClient.objects.select_for_update(of=("self",)).select_related("pool")
        row = rows.filter(pool_id=pool.pk, pool__deleted_at=None, id=client.id).first()
        if row is None:
            part.refuse(ClientNotFound(client.client_id))
        part.refuse_if(next(table.problems_of_change(row, given, whole=whole), None))
        part.refuse_if(receipts.keep(receipt))
        columns, changed = table.change(row, given, whole=whole)
        if changed:
            row.modified_at = clock.now()
            AppClient.objects.filter(pool_id=pool.pk, id=client.id).update(**columns, modified_at=row.modified_at)
            detail = {"changed": changed}
            audit.record(Tag.CLIENT_CHANGED, pool=pool, subject=client.client_id, by=by, detail=detail)
            configuration.touch(pool)
    deciding_attributes.warn(pool)
    table.warn(row)
    return row


def delete(client: AppClient, *, by: Actor) -> None:
    """Delete a client: nobody signs in through it any more, and its tokens are good for nothing from now on.

    What ``hot`` reads of a token asks for the client's row: other processes may hold it for a moment still.

    Raises:
        ClientNotFound: it was deleted meanwhile.

    """
    pool = client.pool
    with atomic_part.begin() as part:
        rows = AppClient.objects.filter(pool_id=pool.pk, id=client.id)
        if rows.select_for_update().first() is None:
            part.refuse(ClientNotFound(client.client_id))
        ClientSecret.objects.filter(pool_id=pool.pk, client_id=client.id).delete()
        deletion.delete(SamlApplication.objects.filter(pool_id=pool.pk, client_id=client.id))
        deletion.delete(rows)
        audit.record(Tag.CLIENT_DELETED, pool=pool, subject=client.client_id, by=by, detail={"name": client.name})
        configuration.touch(pool)


def page(pool: UserPool, limit: int, token: str | None, *, registered: bool | None = None) -> Page[AppClient]:
    """Return a page of a pool's clients in the order they were made: all, those that registered, or the others."""
    purpose = f"clients:{pool.pk}"
    start = paging.read(token, purpose=purpose)
    rows = AppClient.objects.filter(pool_id=pool.pk).order_by("id")
    if registered is not None:
        rows = rows.exclude(registered=Registered.NOT) if registered else rows.filter(registered=Registered.NOT)
    if start:
        rows = rows.filter(id__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda client: [str(client.id)], purpose=purpose)


def naming_provider(pool: UserPool, name: str, limit: int) -> list[AppClient]:
    """Return the oldest apps by which people may come from an identity provider, so many at most."""
    return list(AppClient.objects.filter(pool_id=pool.pk, identity_providers__contains=[name]).order_by("id")[:limit])


def has_pages(client: AppClient) -> bool:
    """Say whether people may sign in to an app on the hosted pages: it uses OAuth, and its code grant."""
    return client.oauth_enabled and PAGES in client.oauth_flows


def has_directory(client: AppClient) -> bool:
    """Say whether the pool's own people come to an app, by their passwords.

    They do not where it names providers, and not the pool among them. AWS: ``SupportedIdentityProviders``.
    """
    return not client.identity_providers or THE_POOL in client.identity_providers


def oldest_with_pages(pool: UserPool) -> AppClient | None:
    """Return the oldest app that :func:`has_pages` for the pool's own people, for somebody who came from no app.

    None that registered itself: such an app does not speak for the pool.
    """
    own = Q(identity_providers=[]) | Q(identity_providers__contains=[THE_POOL])
    rows = AppClient.objects.filter(
        own, pool_id=pool.pk, oauth_enabled=True, oauth_flows__contains=[PAGES], registered=Registered.NOT
    )
    return rows.order_by("id").first()


def name_for_people(pool: UserPool, client: AppClient | None, redirect_uri: str = "") -> str:
    """Return what people know a place by: the app's name, never the pool's; empty where it could be one of several.

    Anybody may have chosen the name of an app that registered openly, and be somebody else. Such an app is known by
    where it leads: the redirect URI, one of its own, or what all of them share; else by its id (RFC 7591 section 2).
    """
    if client is None:
        return shared_name(oldest_two_with_pages(pool))
    if client.registered != Registered.OPENLY:
        return client.name
    places = {place_of(url) for url in ([redirect_uri] if redirect_uri else client.callback_urls)}
    return places.pop() if len(places) == 1 else client.client_id


def asks_consent(client: AppClient) -> bool:
    """Say whether people are asked each time before an app gets what it asks for: one that anybody may have added.

    Else whoever adds an app would be given everybody who follows its link and is signed in already.
    """
    return client.registered == Registered.OPENLY


def place_of(url: str) -> str:
    """Return whose an address is: host and port, or the scheme of an app on somebody's device."""
    parts = urlsplit(url)
    return parts.netloc or parts.scheme


def oldest_two_with_pages(pool: UserPool) -> list[App]:
    """Return what messages say of the oldest two apps that :func:`has_pages` and did not register themselves."""
    return app_client_rows.with_flow(pool.pk, PAGES, THE_POOL)


def shared_name(apps: Sequence[App]) -> str:
    """Return the name of a pool's only app with pages; empty where there is none, or there are several."""
    return apps[0].name if len(apps) == 1 else ""


def client_for_links(client: AppClient) -> AppClient | None:
    """Return the app for which a link confirms that is sent for a client: itself, whether it has other pages or not.

    Another of the pool's, if there is one, for an app to which people come by other providers alone.
    """
    return client if has_directory(client) else oldest_with_pages(client.pool)


def default_redirect(client: AppClient) -> str:
    """Return where people come back who were sent without a redirect URI; empty where the app must name one.

    Only where they sign in with one provider alone (AWS: ``DefaultRedirectURI``).
    """
    return client.default_redirect_uri if len(client.identity_providers) == 1 else ""


def effective_flows(client: AppClient) -> frozenset[str]:
    """Return the ALLOW_ flows that a client has, by default or by older names."""
    if not client.auth_flows:
        return DEFAULT_FLOWS
    found = {LEGACY_FLOWS.get(flow, flow) for flow in client.auth_flows}
    if LEGACY_FLOWS.keys() & set(client.auth_flows):
        found.add("ALLOW_REFRESH_TOKEN_AUTH")
        # Older names add to SRP, but for the one that says it takes its place.
        if "CUSTOM_AUTH_FLOW_ONLY" not in client.auth_flows:
            found.add("ALLOW_USER_SRP_AUTH")
    return frozenset(found)


def readable(client: AppClient, pool: UserPool) -> frozenset[str]:
    """Return the attributes that a client sees: those of its list, else all of the pool's; ``sub`` always."""
    given = client.read_attributes
    return (READABLE | pool.schema.keys() if given is None else frozenset(given)) | {"sub"}


def writable(client: AppClient, pool: UserPool) -> frozenset[str]:
    """Return the attributes that people may write through a client: those of its list, else all that a client may.

    That is what deployed pools do, with custom ones too (aws-cdk#30608); Amazon's text speaks of standard ones alone.
    Whether an attribute can change is judged when it is written.
    """
    given = client.write_attributes
    if given is not None:
        return frozenset(given)
    return WRITABLE | {name for name in pool.schema if name.startswith(schema.CUSTOM)}
