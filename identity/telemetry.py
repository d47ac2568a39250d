"""What the service says of itself: structured logs without secrets, metrics, and whether it lives and is ready.

Knows nothing of pools: what can make a process unready is registered from above by :func:`register_probe`, what is read
as the metrics are shown by :func:`register_gauges`.
"""

from __future__ import annotations

import logging
import logging.config
import os
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from identity.foundation import connections

log = structlog.get_logger(__name__)

# -- secrets never reach a log ---------------------------------------------------------------------------------------

HIDDEN = "[redacted]"
SECRET_WORDS = frozenset(
    "password passwd passphrase secret token code authorization cookie credential private session seed otp totp pin "
    "verifier assertion saml signature email phone".split()
)
# Names that hold such a word and yet say nothing that must be hidden.
HARMLESS = frozenset({"status_code", "error_code", "token_use", "token_type", "secret_keys_file"})
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Anybody chooses parts of what is logged: each pattern below looks at a character a bounded number of times,
# wherever it begins, and no text is longer than this.
LONGEST = 8 * 1024
CUT = " [cut] "
WORD = string.ascii_letters + string.digits + "_-./+=$%"
# `name=value` and `"name": "value"` inside a text: query strings, forms, JSON, representations.
NAME = re.compile(r"(?<![\w-])[A-Za-z_][\w-]{0,63}(?![\w-])(?=[\"']?\s*[=:])")
VALUE = re.compile(r"(?P<is>[\"']?\s*[=:]\s*[\"']?)(?:bearer |basic )?[^\s&\"',;}]+", re.IGNORECASE)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
SHAPES = (
    # JWS and JWE. That dots follow is asked first and once, not for each `eyJ` of a word.
    re.compile(r"(?<![\w-])(?=[\w-]++\.[\w-]*+\.)[\w-]*?eyJ[\w-]{5,}+(?:\.[\w-]*+){2,4}"),
    re.compile(r"\$argon2\S+"),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password in a URL
    re.compile(r"(?i)(?<=\bbearer )\S+|(?<=\bbasic )[\w+/=]{8,}"),
    # Refresh tokens, challenge sessions, client secrets: long and random. Names of functions are lower case.
    re.compile(r"(?<![\w-])(?=[a-z_-]*[A-Z0-9])[\w-]{40,}"),
    re.compile(r"(?<![\w/+])(?=[\w/+]*[a-z])(?=[\w/+]*[A-Z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+])"),  # access key
    re.compile(r"\b(?=[A-Z]*[2-7])[A-Z2-7]{26,}\b"),  # a TOTP secret
    re.compile(r"(?<![\w.:-])\d{6}(?![\w.:-])"),  # a one-time code
)
DEEP = 8


@lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Say whether a field of this name (``new_password``, ``AccessToken``) holds what must be hidden."""
    if name.lower() in HARMLESS:
        return False
    words = [word.lower() for word in WORDS.findall(name)]
    return any(word in SECRET_WORDS or word.removesuffix("s") in SECRET_WORDS for word in words)


def scrubbed(text: str) -> str:
    """Return a text with everything hidden that is named like a secret or has the shape of one, long ones cut."""
    text = without_named_secrets(cut(PRIVATE_KEY.sub(HIDDEN, text)))
    for shape in SHAPES:
        text = shape.sub(HIDDEN, text)
    return text


def cut(text: str) -> str:
    """Return the beginning and the last lines of a text that is too long: a traceback says at its end what failed."""
    if len(text) <= LONGEST:
        return text
    # No half of a secret may be left, whose shape nobody would know: a begun word goes, and a begun line.
    beginning = text[: LONGEST // 2].rstrip(WORD)
    return beginning + CUT + text[-LONGEST // 2 :].partition("\n")[2]


def without_named_secrets(text: str) -> str:
    """Return a text without the values that are named like a secret."""
    kept: list[str] = []
    end = 0
    for name in NAME.finditer(text):
        if name.start() < end or not (name[0].lower() == "state" or names_a_secret(name[0])):
            continue
        if value := VALUE.match(text, name.end()):
            kept += (text[end : name.end()], value["is"], HIDDEN)
            end = value.end()
    return "".join((*kept, text[end:]))


def scrub(value: object, depth: int = 0) -> object:
    """Return a value with its secrets hidden, at any depth."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > DEEP:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if names_a_secret(str(name)) and inner not in (None, "") else scrub(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(inner, depth + 1) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return scrubbed(value if isinstance(value, str) else str(value))


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets in everything that a log line says, tracebacks included. The last processor before rendering."""
    own = {name: event.pop(name) for name in ("timestamp", "level", "request_id") if name in event}
    return {**own, **{str(name): value for name, value in _scrubbed_fields(event).items()}}


def _scrubbed_fields(event: Mapping[str, Any]) -> dict[str, object]:
    hidden = scrub(event)
    return hidden if isinstance(hidden, dict) else {}


# -- logs ------------------------------------------------------------------------------------------------------------

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# Below a warning these print requests and answers whole.
TALKATIVE = ("amqp", "authlib", "boto3", "botocore", "django.db.backends", "kombu", "redis", "urllib3", "werkzeug")


class OneLine(logging.Filter):
    """Makes one line of what Django reports of a request that failed, where more would say nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass over an answer that its view chose, which has logged what there is; leave out a traceback of no use."""
        problem = record.exc_info[1] if record.exc_info else None
        if isinstance(problem, connections.UNAVAILABLE):
            described = connections.described(problem)
            record.msg, record.args = "%s: %s", (record.getMessage(), described["problem"])
            record.exc_info = record.exc_info if "exc_info" in described else None
        return problem is not None


def configure() -> None:
    """Send structlog's lines and the standard library's the same way: one line each, redacted, to standard error."""
    level = LEVELS[settings.LOG_LEVEL]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.LOG_FORMAT == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback, sort_keys=False, pad_event_to=0
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
            redact,
            renderer,
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "filters": {"one line": {"()": OneLine}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # A refused request is an answer, not an event; a failed one is reported with its traceback.
                "django.request": {"level": max(level, logging.ERROR), "filters": ["one line"]},
                "django.security.csrf": {"level": max(level, logging.ERROR)},
                **{name: {"level": max(level, logging.WARNING)} for name in TALKATIVE},
            },
        }
    )


# -- metrics ---------------------------------------------------------------------------------------------------------

ANSWERED = Histogram(
    "cognate_http_seconds",
    "Requests by adapter and answer.",
    ["adapter", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
UNREADY = Counter("cognate_unready_total", "Readiness probes that said no.", ["probe"])


def count_answer(adapter: str, status: int, seconds: float) -> None:
    """Count a request. ``adapter`` is a URL namespace or other short constant, never a part of the path."""
    _answers(adapter, status // 100).observe(seconds)


@cache
def _answers(adapter: str, hundreds: int) -> Histogram:
    return ANSWERED.labels(adapter, f"{hundreds}xx")


class Gauge(NamedTuple):
    """One figure as it is now, the same whichever process is asked."""

    name: str
    says: str
    value: float


class Readings:
    """Figures that nobody counts: they are read when the metrics are shown."""

    def __init__(self) -> None:
        """Know of none."""
        self.sources: list[Callable[[], Iterable[Gauge]]] = []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read them; a database that is away takes its own figures away, no others."""
        for source in self.sources:
            try:
                gauges = tuple(source())
            except Error as problem:
                log.warning("gauges_failed", problem=type(problem).__name__)
                continue
            for gauge in gauges:
                yield GaugeMetricFamily(gauge.name, gauge.says, value=gauge.value)


_readings = Readings()


def register_gauges(source: Callable[[], Iterable[Gauge]]) -> None:
    """Let a part of the installation give figures as they are when the metrics are shown."""
    _readings.sources.append(source)


def exposition() -> bytes:
    """Return all metrics as text: what was counted, and what is read now."""
    now = CollectorRegistry()
    now.register(_readings)
    return counted() + generate_latest(now)


def counted() -> bytes:
    """Return what was counted: by all processes that count together in ``METRICS_DIR``, else by this one."""
    if settings.METRICS_DIR is None:
        return generate_latest(REGISTRY)
    for path in settings.METRICS_DIR.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not is_alive(int(pid)):
            mark_process_dead(int(pid), str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
    together = CollectorRegistry()
    MultiProcessCollector(together, path=str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
    return generate_latest(together)


def is_alive(pid: int) -> bool:
    """Say whether a process of this machine still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def may_read_metrics(request: HttpRequest) -> bool:
    """Say whether the metrics may be shown: to the bound address, in development to this machine, to operators."""
    address = getattr(request, "address", "")
    if address and address == settings.METRICS_BIND:
        return True
    if settings.MODE == "development" and address in {"127.0.0.1", "::1"}:
        return True
    user = getattr(request, "user", None)
    return bool(user and user.is_authenticated and user.is_verified())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show the metrics; to anyone else there are none."""
    if not may_read_metrics(request):
        return HttpResponseNotFound()
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


# -- health ----------------------------------------------------------------------------------------------------------

Probe = Callable[[], str | None]
"""Returns what is wrong in a few words that may be shown to anyone, or nothing."""
_probes: dict[str, Probe] = {}
_warnings: dict[str, Probe] = {}


def register_probe(name: str, probe: Probe) -> None:
    """Let a part of the installation say whether this process may be sent requests."""
    _probes[name] = probe


def register_warning(name: str, probe: Probe) -> None:
    """Let a part of the installation say what an operator should look at, though requests are answered."""
    _warnings[name] = probe


def database_answers() -> str:
    """Probe: PostgreSQL takes a new connection. One that is held would answer for it where it takes no more."""
    connections.fresh.ask()
    return ""


class Schema:
    """Whether the database has every migration of this release. It may have more: releases run side by side."""

    def __init__(self) -> None:
        """Assume nothing."""
        self.is_current = False

    def __call__(self) -> str:
        """Probe: nothing is left to migrate. Once seen it is not asked again."""
        if not self.is_current:
            executor = MigrationExecutor(connection)
            self.is_current = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return "" if self.is_current else "migrations are missing"


register_probe("database", database_answers)
register_probe("migrations", Schema())


def ask(name: str, probe: Probe) -> str:
    """Return what is wrong with one part, or nothing."""
    try:
        wrong = probe()
    except Error as problem:
        log.warning("probe_failed", probe=name, problem=type(problem).__name__)
        wrong = "the database does not answer"
    if wrong:
        UNREADY.labels(name).inc()
    return wrong or ""


def live(_request: HttpRequest) -> HttpResponse:
    """Answer as long as the process does: what is restarted is a process, not its database."""
    return JsonResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


def ready(_request: HttpRequest) -> HttpResponse:
    """Say whether this process may be sent requests, and if not, why."""
    wrong: dict[str, str] = {}
    for name, probe in _probes.items():
        # The first asks for a new connection, and waits briefly. The others would wait for a silent one that is held.
        wrong[name] = "waits for the database" if wrong.get("database") else ask(name, probe)
    is_ready = not any(wrong.values())
    doubts = {name: text for name, probe in _warnings.items() if (text := probe())} if is_ready else {}
    return JsonResponse(
        {
            "status": "ready" if is_ready else "not ready",
            "probes": {name: text or "ok" for name, text in wrong.items()},
            **({"warnings": doubts} if doubts else {}),
        },
        status=200 if is_ready else 503,
        headers={"Cache-Control": "no-store"},
    )
