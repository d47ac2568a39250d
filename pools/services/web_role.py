"""The database role of web processes, where an installation names one: what it may do is ``pools.models.grants``."""

from __future__ import annotations

from django.conf import settings

from identity.foundation import server_urls
from pools.models import grants


def ensure() -> None:
    """Give the role its rights on the tables that are there now."""
    if settings.WEB_DATABASE_URL:
        found = server_urls.postgresql(settings.WEB_DATABASE_URL)
        grants.give(found.get("user", ""), found.get("password", ""))
