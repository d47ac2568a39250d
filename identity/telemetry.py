"""What the service says of itself: metrics, whether it lives and is ready, and logs by ``identity.logs``.

Knows nothing of pools: what can make a process unready is registered from above by :func:`register_probe`, what is read
as the metrics are shown by :func:`register_gauges`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from identity import logs
from identity.foundation import connections

log = structlog.get_logger(__name__)

# -- logs ------------------------------------------------------------------------------------------------------------


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


def configure_logs() -> None:
    """Set logs up for a process that has Django."""
    lowest = max(logs.LEVELS[settings.LOG_LEVEL], logging.ERROR)
    # A refused request is an answer, not an event; a failed one is reported with its traceback.
    logs.configure(
        settings.LOG_LEVEL,
        settings.LOG_FORMAT,
        {"django.request": {"level": lowest}, "django.security.csrf": {"level": lowest}},
    )
    logging.getLogger("django.request").addFilter(OneLine())


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
