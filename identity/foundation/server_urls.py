"""Addresses of PostgreSQL and Redis as settings give them, read by real parsers.

No error of this module quotes what it read: passwords stand in there.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

POSTGRESQL = ("postgresql://", "postgres://")
HOSTS = re.compile(r"^(/[^\x00]*|[A-Za-z0-9._:%-]*)(,(/[^\x00]*|[A-Za-z0-9._:%-]*))*$")
PORTS = re.compile(r"^(\d{1,5})?(,(\d{1,5})?)*$")
REDIS_DATABASE = re.compile(r"^/?(\d{1,4})?$")
ENCODED = "write what a user or password has beside letters and digits as %xx"
HIGHEST_PORT = 65535
WATCHED = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
"""How a server is missed that went away without a word: asked after 15 s, given up 15 s later (libpq's own names)."""
A_SIXTH = 6


def postgresql(url: str) -> dict[str, str]:
    """Return what a ``postgresql://`` address says, by libpq's own names and its own parser.

    Several hosts, sockets (``%2Frun%2Fpostgresql``), IPv6 and options are as libpq has them (PostgreSQL 18, 32.1.1.2).

    Raises:
        ValueError: it cannot be read, or reads as something that nobody meant.

    """
    if not url.startswith(POSTGRESQL):
        raise ValueError("it does not begin with postgresql://")
    try:
        found = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        raise ValueError(f"it cannot be read; {ENCODED}") from None
    host, port, name = (found.get(part, "") for part in ("host", "port", "dbname"))
    # libpq takes a slash, a question mark or an @ in a password for the end of it: the rest would be told by errors.
    if not HOSTS.match(host) or not PORTS.match(port) or "/" in name or "@" in name:
        raise ValueError(f"its host, port or name is none; {ENCODED}")
    if any(int(each) > HIGHEST_PORT for each in port.split(",") if each):
        raise ValueError("its port is none")
    return found


def legible(url: str) -> str:
    """Return the address of a database as it is. Raises ValueError unless it can be read, or is empty."""
    if url:
        postgresql(url)
    return url


def database(url: str, statement_seconds: int, *, prepares: bool = False) -> dict[str, Any]:
    """Read a ``postgresql://`` URL into Django's form. Django itself prepares nothing on the server.

    No transaction outlives the two minutes in which processes look back for changed configuration: no option of the
    URL changes that. ``SILENT_SECONDS`` is how long ``connections`` waits for an answer at all: a little longer than
    a server that works takes to end a statement itself; 0 is for ever. With ``prepares``, what ``pools.models.hot``
    prepares is planned once, for any parameters.
    """
    limit = statement_seconds * 1000
    found = postgresql(url or "postgresql://localhost/cognate")
    ours = f"-c statement_timeout={limit} -c idle_in_transaction_session_timeout={limit}"
    if prepares:
        ours += " -c plan_cache_mode=force_generic_plan"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": found.pop("dbname", "cognate"),
        "USER": found.pop("user", ""),
        "PASSWORD": found.pop("password", ""),
        "HOST": found.pop("host", ""),
        "PORT": found.pop("port", ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "SILENT_SECONDS": statement_seconds and statement_seconds + max(1, statement_seconds // A_SIXTH),
        "OPTIONS": {
            "prepare_threshold": None,
            "connect_timeout": 5,
            **WATCHED,
            **found,
            "options": f"{found.get('options', '')} {ours}".strip(),
        },
    }


def redis(url: str) -> str:
    """Return the address of Redis in a form that redis-py and Celery read alike: each part encoded. Empty for empty.

    Raises:
        ValueError: it cannot be read.

    """
    if not url:
        return ""
    try:
        # Redis has no fragments: the character belongs to where it stands.
        parts = urlsplit(url.replace("#", "%23"))
        port = parts.port
    except ValueError:
        raise ValueError(f"it cannot be read; {ENCODED}") from None
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.hostname:
            raise ValueError("it names no absolute path: unix:///path/of/the/socket")
        return f"unix://{account(parts)}{quote(unquote(parts.path))}{options(parts)}"
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError("it begins with none of redis://, rediss:// and unix://")
    host = parts.hostname or ("" if parts.netloc else "localhost")
    if not re.fullmatch(r"[a-z0-9._:%-]+", host) or not REDIS_DATABASE.match(parts.path):
        raise ValueError(f"its host or database is none; {ENCODED}")
    written = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{account(parts)}{written}:{port or 6379}{parts.path}{options(parts)}"


def account(parts: SplitResult) -> str:
    """Return user and password, encoded."""
    user, password = (quote(unquote(part or ""), safe="") for part in (parts.username, parts.password))
    return f"{user}:{password}@" if password else f"{user}@" if user else ""


def options(parts: SplitResult) -> str:
    """Return the options of an address, encoded."""
    return f"?{urlencode(parse_qsl(parts.query), quote_via=quote)}" if parts.query else ""


def celery(url: str) -> str:
    """Return the address of Redis as Celery writes it: it has a scheme of its own for sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = [("virtual_host" if name == "db" else name, value) for name, value in parse_qsl(parts.query)]
    return f"redis+socket://{account(parts)}{parts.path}{f'?{urlencode(query)}' if query else ''}"
