"""Where the installation's own paths lead. A pool's paths are ``identity.pool_urls``."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from identity import telemetry

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("pools.cognito.urls")),
    path("identity-pools/", include("pools.oidc.identity_urls")),
    path("health/live", telemetry.live),
    path("health/ready", telemetry.ready),
    path("metrics", telemetry.metrics),
    path("", include("identity.console.urls")),
]
handler500 = "identity.console.guard.server_error"
if settings.DEMO:
    urlpatterns.append(path("", include("identity.demo.urls")))
