"""The commands that serve Cognate: ``python -m identity.serve web`` (or ``worker``, ``beat``) becomes one of them.

``make run`` and the container image start the same commands, sized by the same settings. What is imported for the
checks is what a web server serves: its processes are forked from this one, and share it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from identity import environment_reading, forks

if TYPE_CHECKING:
    from identity.environment import Environment

# Idle browser connections count too: granian's limit is on connections, not on requests. What may wait for
# a password hash is limited by the gate, which refuses at once.
CONNECTIONS = 1024
LANES = "now,bulk,tasks"
FEWEST_THREADS = 3
"""Of a worker: one for each lane."""
TLS_THREADS = 8
"""Of the one process that serves ``make run``'s HTTPS port."""
RESERVED = 20
"""Connections to PostgreSQL that are left to people, monitoring and migrations."""
# Each hash takes 7 MiB, and one is made at a time: with several of glibc's arenas each would keep as much for good.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1"}
CHECKED = {"CELERY_SKIP_CHECKS": "1"}
"""Of a worker whose settings were checked: Celery would check them again, for which every page is imported."""
SIZED = "--one-arena"
"""Said to itself by a web server whose allocator is set."""
SETTINGS = "--settings"
"""Said by beat to another process of this program: check the settings, and print what a clock needs of them."""


def connections(*, web_threads: int, web_processes: int, worker_threads: int, over_tls: bool) -> int:
    """Return how many connections to PostgreSQL the processes of these commands may hold together."""
    from identity.foundation.connections import wanted

    processes = [web_threads] * web_processes + [TLS_THREADS] * over_tls
    return wanted(web_threads=processes, worker_threads=max(FEWEST_THREADS, worker_threads))


def web(bind: str, port: int, workers: int, threads: int, *more: str) -> tuple[str, ...]:
    """Return the command of a web server."""
    options = (
        *("--interface", "wsgi", "--http", "1", "--no-ws", "--no-access-log", "--log-level", "warning"),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--workers-kill-timeout", "5"),
        *("--backlog", str(CONNECTIONS), "--backpressure", str(CONNECTIONS)),
        *("--host", bind, "--port", str(port)),
    )
    return (sys.executable, "-m", "granian", *options, *more, "identity.wsgi:application")


def worker(environment: Environment) -> tuple[str, ...]:
    """Return the command of the Celery worker. Threads: mail waits for the network, and so do its sweeps.

    No lane can take them all from ``now`` (``pools.tasks``).
    """
    threads = max(FEWEST_THREADS, environment.worker_threads)
    options = (
        *("-P", "threads", "-c", str(threads), "-Q", LANES, "-l", environment.log_level),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )
    return (sys.executable, "-m", "celery", "--quiet", "-A", "identity.celery", "worker", *options)


def beat(schedule: Path) -> tuple[str, ...]:
    """Return the command of Celery's clock, which keeps in this file what it asked for when."""
    return (sys.executable, "-m", "identity.serve", "beat", str(schedule))


def main(arguments: list[str]) -> int:
    """Become the command. What a web server finds in the environment must be there before anything is imported."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")
    match arguments:
        case ["web"]:
            os.environ.update(ALLOCATOR)  # glibc reads it as a program starts
            os.execv(sys.executable, [*sys.orig_argv, SIZED])  # noqa: S606 - this very command; nothing returns
        case ["web", word] if word == SIZED:
            with tempfile.TemporaryDirectory(prefix="cognate-metrics-") as folder:
                # Web processes count together, from nothing at each start.
                os.environ.setdefault("METRICS_DIR", folder)
                environment_reading.read_apart()
                return serve_web() if is_safe_apart() else 1
        case ["worker"]:
            return become_worker() if is_safe() else 1
        case ["beat", word] if word == SETTINGS:
            return print_settings_of_beat() if is_safe() else 1
        case ["beat", *schedule] if len(schedule) <= 1:
            from identity.beat import run

            asking = (sys.executable, "-m", "identity.serve", "beat", SETTINGS)
            return run(Path(*(schedule or (tempfile.gettempdir(), "beat-schedule"))), asking)
    sys.stderr.write("usage: python -m identity.serve web|worker|beat [schedule file]\n")
    return 2


def is_safe() -> bool:
    """Load everything and check it; say what is unsafe."""
    import django
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    django.setup()
    try:
        call_command("check", databases=["default"], stdout=sys.stderr)
    except SystemCheckError as unsafe:
        sys.stderr.write(f"{unsafe}\n")
        return False
    return True


def is_safe_apart() -> bool:
    """Load what is served, and check everything in a process forked from this: what only checks load ends with it.

    They walk every page and every template tag, the management API's among them: 8 MiB, which each web process would
    have for good.
    """
    import django

    django.setup()
    load_pages()
    return forks.result_of(is_safe)


def load_pages() -> None:
    """Import what every web process serves, but the management API, so that those which are forked share it."""
    from django.conf import settings
    from django.template import engines
    from django.urls import resolve

    import_module("identity.fast_path")
    engines.all()
    resolve("/health/live")
    resolve("/login", settings.POOL_URLCONF)


def serve_web() -> int:
    """Serve by granian, in this process and those that it forks: they find all of it imported, and in shared memory."""
    from granian.cli import cli

    from identity.settings import environment

    import_module("identity.wsgi")
    # What lives now lives on: a collection that looked at it would copy its pages for each process.
    gc.collect()
    gc.freeze()
    command = web(environment.bind, environment.port, environment.web_workers, environment.web_threads)
    # As granian's own program does, but for the end: what is temporary here goes with it.
    failed: int | None = cli(list(command[3:]), auto_envvar_prefix="GRANIAN", standalone_mode=False)
    return failed or 0


def become_worker() -> int:
    """Become the worker."""
    from identity.settings import environment

    command = worker(environment)
    os.environ.update(ALLOCATOR | CHECKED)
    os.execv(command[0], command)  # noqa: S606 - the command is made above; nothing returns


def print_settings_of_beat() -> int:
    """Print what a clock needs of the settings, for ``identity.beat``, which loads none of this."""
    from django.conf import settings

    from identity.foundation import server_urls

    told = {
        "broker_url": server_urls.celery(settings.REDIS_URL),
        "redis_prefix": settings.REDIS_PREFIX,
        "alive_file": str(settings.ALIVE_FILE or ""),
        "log_level": settings.LOG_LEVEL,
        "log_format": settings.LOG_FORMAT,
    }
    sys.stdout.write(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
