"""A browser of Django's own at the hosted pages: no process to reach, cookies that a test may put there."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.test import Client

from pools.hosted.urls import urlpatterns
from pools.web import form_guard

PATHS = {str(each.name): str(each.pattern) for each in urlpatterns}
"""Where each page is, by its name."""


def browser(cookies: Mapping[str, str] | None = None) -> Client:
    """Return a browser with these cookies."""
    made = Client(headers={"host": urllib.parse.urlsplit(settings.BASE_URL).netloc})
    for name, value in (cookies or {}).items():
        made.cookies[name] = value
    return made


def cookies_of(visitor: Client) -> dict[str, str]:
    """Return the cookies that a browser holds."""
    return {name: morsel.value for name, morsel in visitor.cookies.items()}


def form_token(cookies: Mapping[str, str], pool_id: str, page: str) -> str:
    """Return the token of a page's form for a browser with these cookies."""
    nonce = next((value for name, value in cookies.items() if name.endswith("-form")), "")
    owner = SimpleNamespace(form_nonce=lambda: nonce, pool=SimpleNamespace(public_id=pool_id))
    return form_guard.token(cast("Any", owner), page)
