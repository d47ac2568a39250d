"""Where the management API's paths lead, below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from identity.console import api_docs, rest, rest_keys, rest_providers, rest_saml

API = [
    ("v1/pools", rest.Pools, "api_pools"),
    ("v1/pools/<str:pool_id>", rest.Pool, "api_pool"),
    ("v1/pools/<str:pool_id>/apps", rest.Apps, "api_apps"),
    ("v1/pools/<str:pool_id>/apps/<slug:client_id>", rest.App, "api_app"),
    ("v1/pools/<str:pool_id>/providers", rest_providers.Providers, "api_providers"),
    ("v1/pools/<str:pool_id>/providers/<uuid:provider_id>", rest_providers.Provider, "api_provider"),
    ("v1/pools/<str:pool_id>/saml-applications", rest_saml.Applications, "api_saml_applications"),
    (
        "v1/pools/<str:pool_id>/saml-applications/<uuid:application_id>",
        rest_saml.Application,
        "api_saml_application",
    ),
    ("v1/pools/<str:pool_id>/users", rest.Users, "api_users"),
    ("v1/pools/<str:pool_id>/users/<uuid:sub>", rest.User, "api_user"),
    ("v1/pools/<str:pool_id>/users/<uuid:sub>/disable", rest.DisableUser, "api_disable_user"),
    ("v1/pools/<str:pool_id>/users/<uuid:sub>/enable", rest.EnableUser, "api_enable_user"),
    ("v1/access-keys", rest_keys.Keys, "api_keys"),
    ("v1/access-keys/<slug:key_id>", rest_keys.Key, "api_key"),
    ("v1/access-keys/<slug:key_id>/limits", rest_keys.LimitKey, "api_limit_key"),
    ("v1/access-keys/<slug:key_id>/disable", rest_keys.DisableKey, "api_disable_key"),
]

urlpatterns: list[URLPattern] = [
    path("docs/", api_docs.page, name="api_docs"),
    path("schema/", api_docs.schema, name="api_schema"),
    *(path(route, view.as_view(), name=name) for route, view, name in API),
    re_path(r"^.*$", rest.Nothing.as_view(), name="api_nothing"),
]
