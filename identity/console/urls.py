"""Operators' pages. What needs both factors stands in ``INSIDE``, so that nothing is guarded by memory."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView

from identity.console import (
    guard,
    keys,
    mailbox,
    pages,
    people,
    provider_trials,
    providers,
    saml_applications,
    sign_in,
    user_imports,
)

app_name = "console"

INSIDE: list[tuple[str, guard.View, str]] = [
    ("console/pools", pages.pools, "pools"),
    ("console/pools/new", pages.new_pool, "new_pool"),
    ("console/pools/<str:pool_id>", pages.pool, "pool"),
    ("console/pools/<str:pool_id>/apps", pages.apps, "apps"),
    ("console/pools/<str:pool_id>/apps/new", pages.new_app, "new_app"),
    ("console/pools/<str:pool_id>/apps/<slug:client_id>", pages.app, "app"),
    ("console/pools/<str:pool_id>/users", people.people, "users"),
    ("console/pools/<str:pool_id>/users/<uuid:sub>", people.person, "user"),
    ("console/pools/<str:pool_id>/users/<uuid:sub>/<slug:key>", people.change, "change_user"),
    ("console/pools/<str:pool_id>/imports", user_imports.imports, "imports"),
    ("console/pools/<str:pool_id>/imports/<str:job_id>", user_imports.one_import, "import"),
    ("console/pools/<str:pool_id>/imports/<str:job_id>/failures.csv", user_imports.import_failures, "import_failures"),
    ("console/pools/<str:pool_id>/providers", providers.providers, "providers"),
    ("console/pools/<str:pool_id>/providers/new", providers.kinds, "provider_kinds"),
    ("console/pools/<str:pool_id>/providers/new/<slug:kind>", providers.new_provider, "new_provider"),
    ("console/pools/<str:pool_id>/providers/<uuid:provider_id>", providers.provider, "provider"),
    ("console/pools/<str:pool_id>/providers/<uuid:provider_id>/check", providers.check_provider, "check_provider"),
    ("console/pools/<str:pool_id>/providers/<uuid:provider_id>/delete", providers.delete_provider, "delete_provider"),
    ("console/pools/<str:pool_id>/providers/<uuid:provider_id>/try", provider_trials.begin, "try_provider"),
    ("console/pools/<str:pool_id>/providers/<uuid:provider_id>/tried", provider_trials.end, "tried_provider"),
    ("console/pools/<str:pool_id>/saml", saml_applications.applications, "saml_applications"),
    ("console/pools/<str:pool_id>/saml/new", saml_applications.new_application, "new_saml_application"),
    ("console/pools/<str:pool_id>/saml/<uuid:application_id>", saml_applications.application, "saml_application"),
    (
        "console/pools/<str:pool_id>/saml/<uuid:application_id>/delete",
        saml_applications.delete_application,
        "delete_saml_application",
    ),
    ("console/pools/<str:pool_id>/audit", pages.events, "audit"),
    ("console/access-keys", keys.keys, "keys"),
    ("console/access-keys/<slug:key_id>", keys.limit_key, "limit_key"),
    ("console/access-keys/<slug:key_id>/disable", keys.disable_key, "disable_key"),
]
OUTSIDE: list[tuple[str, guard.View, str]] = [
    ("console/sign-in", sign_in.sign_in, "sign_in"),
    ("console/sign-in/code", sign_in.code, "code"),
    ("console/sign-out", sign_in.sign_out, "sign_out"),
    ("console/link", sign_in.link, "link"),
    ("console/welcome/password", sign_in.set_password, "set_password"),
    ("console/welcome/authenticator", sign_in.set_authenticator, "set_authenticator"),
    ("dev/mailbox", mailbox.page, "mailbox"),
    ("dev/messages", mailbox.as_json, "messages"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^console/?$", RedirectView.as_view(pattern_name="console:pools"), name="home"),
    *(path(route, guard.signed_in(view), name=name) for route, view, name in INSIDE),
    *(path(route, view, name=name) for route, view, name in OUTSIDE),
    re_path(r"^console/.*$", guard.not_found),
    # By name: Django imports it at the first address below /api/ or link of the console. A web process that only
    # signs people in does without the REST framework, which takes 6 MiB.
    URLResolver(RoutePattern("api/"), "identity.console.api_urls"),
]
