"""The issuer of the identity pools, at the installation's root."""

from __future__ import annotations

from django.urls import path

from identity.foundation.call import as_view
from pools.oidc import discovery

app_name = "identity_oidc"
urlpatterns = [
    path(".well-known/openid-configuration", as_view(discovery.identity_discovery), name="discovery"),
    path("jwks.json", as_view(discovery.identity_jwks), name="jwks"),
]
