"""Refuse to start misconfigured: Django system checks ``identity.E001`` and on.

``identity.serve`` and every command of ``manage.py`` run them; ``require_safe_settings`` holds whoever
starts a server otherwise to them. What development may do is asked of the mode only.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from identity import serve
from identity.foundation import addresses, origins, sealing

OLDEST = 150000
"""PostgreSQL 15, as the server numbers itself."""
ENOUGH_BYTES = 16
"""A random key of 32 bytes has far more distinct ones than a typed or repeated one."""

EMBEDDED = "# Sealing keys, newest first. Without this file"
"""Heads the keys that the first release's `make run` made; those of later ones say so themselves."""

Apps = Sequence[AppConfig] | None


def error(number: int, message: str, hint: str) -> Error:
    """Return an error that stops the start."""
    return Error(message, hint=hint, id=f"identity.E{number:03}")


def warning(number: int, message: str, hint: str) -> Warning:
    """Return a warning that does not."""
    return Warning(message, hint=hint, id=f"identity.W{number:03}")


def require_safe_settings() -> None:
    """End this process where production is unsafe, whichever command started it. What asks the database is left out."""
    if settings.MODE == "production":
        unsafe = [str(found) for found in run_checks(tags=[Tags.security]) if found.is_serious()]
        if unsafe:
            raise SystemExit("\n".join(unsafe))


@register(Tags.security)
def sealing_keys_are_safe(app_configs: Apps = None, **_: object) -> list[CheckMessage]:
    """Check that sealing keys exist, belong to this installation, and that only we can change them."""
    del app_configs
    path = settings.SECRET_KEYS_FILE
    if settings.MODE != "production":
        return []
    try:
        mode = path.stat().st_mode
        keys = sealing.master_keys()
    except OSError as problem:
        return [error(1, f"SECRET_KEYS_FILE cannot be read: {problem.strerror}: {path}", "`make secrets` makes one.")]
    except ImproperlyConfigured as problem:
        return [error(1, str(problem), "Each line: `id base64-of-32-random-bytes`, newest first.")]
    found: list[CheckMessage] = []
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        found.append(error(2, f"Others may write {path}.", "chmod go-w"))
    elif mode & (stat.S_IRGRP | stat.S_IROTH) and not str(path).startswith("/run/secrets/"):
        found.append(warning(1, f"Others may read {path}.", "chmod 600, unless only containers see it."))
    if (path.parent / "bootstrap.json").exists():
        found.append(error(3, f"{path} is the development key of a `make run`.", "`make secrets` makes new ones."))
    if EMBEDDED in path.read_text() or any(
        key.id.lower().startswith("development")
        or sealing.is_for_development(key)
        or len(set(key.secret)) < ENOUGH_BYTES
        for key in keys
    ):
        found.append(error(4, "A sealing key is for development, or not random.", "openssl rand -base64 32"))
    return found


@register(Tags.security)
def production_is_not_development(app_configs: Apps = None, **_: object) -> list[CheckMessage]:
    """Check that nothing which eases development reaches production."""
    del app_configs
    if settings.MODE != "production":
        return []
    database = settings.DATABASES["default"]
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(error(5, "DEBUG is on.", "Debug pages show configuration and local variables to anyone."))
    if settings.DEMO:
        found.append(error(6, "DEMO is on.", "The demo has known accounts and pages on the login origin."))
    found += captured_channels()
    if database["HOST"] == "localhost" and not database["USER"]:
        found.append(error(8, "DATABASE_URL is not set.", "postgresql://user:password@host:5432/name"))
    found += eased_ways_out()
    if addresses.are_everyone(settings.TRUSTED_PROXIES):
        found.append(
            error(10, "TRUSTED_PROXIES amounts to everyone: visitors choose their address.", "Your proxies' networks.")
        )
    if settings.WIRE_RESPONSE_CHECKS:
        found.append(warning(2, "WIRE_RESPONSE_CHECKS is for tests.", "Each answer is validated twice."))
    if any(settings.MESSAGES_KEYS) and not all(settings.MESSAGES_KEYS):
        found.append(
            error(17, "Of the AWS access key for messages half is set.", "MESSAGES_ACCESS_KEY_ID and its secret.")
        )
    found += [
        warning(5, f"{name} is not https: codes travel in the clear.", "Leave it empty for AWS.")
        for name in ("SES_ENDPOINT_URL", "SNS_ENDPOINT_URL", "EUMS_ENDPOINT_URL", "SNS_STS_ENDPOINT_URL")
        if getattr(settings, name) and not getattr(settings, name).startswith("https://")
    ]
    if settings.EMAIL_HOST_PASSWORD and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        found.append(warning(3, "The SMTP password travels in the clear.", "SMTP_SECURITY=starttls or tls"))
    return found


@register(Tags.security)
def addresses_are_origins(app_configs: Apps = None, **_: object) -> list[CheckMessage]:
    """Check the addresses from which issuers, links and cookies follow."""
    del app_configs
    found: list[CheckMessage] = []
    given: set[str] = set()
    for name in ("BASE_URL", "CONSOLE_URL"):
        url = getattr(settings, name)
        if not url:
            found.append(error(11, f"{name} is not set.", "Issuers and links come from it: https://id.example.com"))
            continue
        try:
            origin = origins.canonical(url)
        except ValueError as problem:
            # Not the address itself: somebody may have written a password into it.
            found.append(error(12, f"{name} is no origin: it has {problem}.", "Only scheme, host and port."))
            continue
        if settings.MODE == "production" and not origin.startswith("https://"):
            found.append(error(13, f"{name} is not https: {url}", "Tokens and passwords would travel in the clear."))
        given.add(origin)
    if settings.MODE == "production" and not found and len(given) == 1:
        found.append(
            error(14, "CONSOLE_URL is BASE_URL.", "A flaw in one pool's page must not be an operator: another origin.")
        )
    return found


def eased_ways_out() -> list[CheckMessage]:
    """Return an error for each way out that is easier than it is safe."""
    eased = (
        (9, "OUTBOUND_PRIVATE", "lets people's URLs reach your network.", "Name hosts in OUTBOUND_PRIVATE_HOSTS."),
        (18, "INSECURE_PROVIDERS", "lets whoever is on the way be the identity provider.", "Give providers https."),
        (19, "SOCIAL_PROVIDERS_URL", "answers in place of Google, Facebook, Amazon and Apple.", "It is for tests."),
    )
    return [error(number, f"{name} {what}", hint) for number, name, what, hint in eased if getattr(settings, name)]


def captured_channels() -> list[CheckMessage]:
    """Return an error for each channel whose messages would stay here."""
    return [
        error(7, f"{name}=captured: nobody would get what it sends.", "Set MESSAGES=smtp and SMTP_HOST.")
        for name in ("MAIL_CHANNEL", "SMS_CHANNEL")
        if getattr(settings, name) == "captured"
    ]


def connections_wanted() -> int:
    """Return how many connections this installation may hold."""
    return serve.connections(
        web_threads=settings.WEB_THREADS,
        web_processes=settings.WEB_WORKERS * settings.WEB_NODES,
        worker_threads=settings.WORKER_THREADS,
        over_tls=settings.MODE == "development",
    )


@register(Tags.database)
def connections_suffice(
    app_configs: Apps = None, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Check that PostgreSQL has a connection for every thread: without, sign-ins fail under load and not before."""
    del app_configs
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(
                    "SELECT current_setting('max_connections')::int, current_setting('server_version_num')::int"
                )
                allowed, version = cursor.fetchone()
        except DatabaseError:
            # A database that is away is the readiness probe's to tell; processes may start before it.
            found.append(warning(4, f"The database `{alias}` does not answer.", "Its connection limit is unknown."))
            continue
        if version < OLDEST:
            found.append(error(16, f"The database `{alias}` is older than PostgreSQL 15.", "Upgrade the server."))
        wanted, left = connections_wanted(), serve.RESERVED
        if wanted > allowed - left:
            level = error if settings.MODE == "production" else warning
            found.append(
                level(
                    15,
                    f"Up to {wanted} connections are wanted, PostgreSQL allows {allowed} less {left}.",
                    "Raise max_connections, or lower WEB_THREADS, WEB_WORKERS or WEB_NODES.",
                )
            )
    return found
