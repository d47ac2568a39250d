"""Where the sample app is."""

from __future__ import annotations

from django.urls import path

from identity.demo import pages

app_name = "demo"
urlpatterns = [
    path("demo/", pages.page, name="page"),
    path("demo/callback", pages.page, name="callback"),
    path("demo/config.json", pages.config, name="config"),
]
