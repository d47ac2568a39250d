"""System checks: production refuses to start misconfigured. Each names the setting and what to do."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

RESERVED_CONNECTIONS = 20


@register(Tags.security)
def production_is_safe(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ANN401
    """Refuse, in production, whatever is meant for development."""
    del app_configs
    found: list[CheckMessage] = []
    if not settings.BASE_URL:
        found.append(Error("BASE_URL is not set: it is the only source of issuers and links.", id="identity.E001"))
    if settings.MODE != "production":
        return found
    if settings.DEBUG:
        found.append(Error("DEBUG is on in production.", id="identity.E002"))
    if settings.MESSAGES == "captured":
        found.append(Error("MESSAGES=captured keeps mail from people; set it to smtp.", id="identity.E003"))
    if urlsplit(settings.BASE_URL).scheme != "https":
        found.append(Error("BASE_URL is not https: tokens would travel in the open.", id="identity.E004"))
    if urlsplit(settings.CONSOLE_URL).scheme != "https":
        found.append(Error("CONSOLE_URL is not https.", id="identity.E005"))
    if settings.CONSOLE_URL == settings.BASE_URL:
        found.append(
            Error(
                "CONSOLE_URL is BASE_URL: give the console an origin of its own, so that a fault in a pool's page "
                "cannot act as an operator.",
                id="identity.E006",
            )
        )
    return found + secrets_are_kept()


def secrets_are_kept() -> list[CheckMessage]:
    """Refuse missing sealing keys, and a file of them that others may read."""
    path = settings.SECRET_KEYS_FILE
    try:
        mode = path.stat().st_mode
    except OSError:
        return [Error(f"SECRET_KEYS_FILE {path} cannot be read.", id="identity.E007")]
    found: list[CheckMessage] = []
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        found.append(Error(f"SECRET_KEYS_FILE {path} is open to others: chmod 600 it.", id="identity.E008"))
    if any(line.startswith("development") for line in path.read_text().splitlines()):
        found.append(Error("SECRET_KEYS_FILE holds a development key.", id="identity.E009"))
    return found


@register(Tags.database)
def connections_suffice(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **_: Any,  # noqa: ANN401
) -> list[CheckMessage]:
    """Refuse to start where all threads together would want more connections than PostgreSQL gives."""
    del app_configs
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int, current_setting('server_version_num')::int")
        allowed, version = cursor.fetchone()
    found: list[CheckMessage] = []
    wanted = settings.WEB_THREADS * settings.WEB_WORKERS * settings.WEB_NODES + settings.WORKER_THREADS
    if wanted > allowed - RESERVED_CONNECTIONS:
        found.append(
            Error(
                f"{wanted} threads may want a connection each, but max_connections is {allowed} and "
                f"{RESERVED_CONNECTIONS} are kept: lower WEB_THREADS, or raise max_connections.",
                id="identity.E010",
            )
        )
    if version < 150000:  # noqa: PLR2004 - PostgreSQL 15
        found.append(Error("PostgreSQL 15 is the oldest that works.", id="identity.E011"))
    return found
