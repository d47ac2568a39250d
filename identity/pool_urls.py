"""Where a pool's paths lead, at ``{base_url}/{pool id}`` and at the pool's own hosts alike."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("pools.oidc.urls")),
    path("", include("pools.hosted.urls")),
]
handler404 = "pools.web.problem_pages.not_found"
handler500 = "pools.web.problem_pages.server_error"
