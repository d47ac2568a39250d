"""Paths of a pool's OAuth and OpenID Connect endpoints."""

from __future__ import annotations

from django.urls import path

from identity.foundation.call import as_view
from pools.oidc import authorize, discovery, logout, registration, resources, token

app_name = "oidc"
urlpatterns = [
    path("oauth2/authorize", authorize.authorize, name="authorize"),
    path("oauth2/token", as_view(token.token), name="token"),
    path("oauth2/userInfo", as_view(resources.user_info), name="user_info"),
    path("oauth2/revoke", as_view(resources.revoke), name="revoke"),
    path("oauth2/register", as_view(registration.register), name="register"),
    path("logout", logout.logout, name="logout"),
    path(".well-known/openid-configuration", as_view(discovery.discovery), name="discovery"),
    path(".well-known/jwks.json", as_view(discovery.jwks), name="jwks"),
]
