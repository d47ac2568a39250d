"""The database role of web processes, where an installation names one: what it may do is ``pools.models.grants``."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from django.conf import settings

from pools.models import grants


def ensure() -> None:
    """Give the role its rights on the tables that are there now."""
    if settings.WEB_DATABASE_URL:
        parts = urlsplit(settings.WEB_DATABASE_URL)
        grants.give(unquote(parts.username or ""), unquote(parts.password or ""))
