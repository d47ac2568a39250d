"""The commands that serve Cognate: ``python -m identity.serve web`` (or ``worker``, ``beat``) becomes one of them.

``make run`` and the container image start the same commands, sized by the same settings.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import django
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from identity.foundation.connections import wanted
from identity.settings import Environment

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


def connections(*, web_threads: int, web_processes: int, worker_threads: int, over_tls: bool) -> int:
    """Return how many connections to PostgreSQL the processes of these commands may hold together."""
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


def beat(environment: Environment, schedule: Path) -> tuple[str, ...]:
    """Return the command of Celery's clock. It may run twice: periodic tasks take a lock and a due time."""
    options = ("--schedule", str(schedule), "--pidfile", "", "-l", environment.log_level)
    return (sys.executable, "-m", "celery", "--quiet", "-A", "identity.celery", "beat", *options)


def main(arguments: list[str]) -> int:  # noqa: RET503 - it becomes the command
    """Become the command."""
    from identity.settings import environment

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")
    commands = {
        "web": lambda: web(environment.bind, environment.port, environment.web_workers, environment.web_threads),
        "worker": lambda: worker(environment),
        "beat": lambda: beat(environment, Path(tempfile.gettempdir()) / "beat-schedule"),
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(f"usage: python -m identity.serve {'|'.join(commands)}\n")
        return 2
    django.setup()
    try:
        call_command("check", databases=["default"])
    except SystemCheckError as unsafe:
        sys.stderr.write(f"{unsafe}\n")
        return 1
    if arguments[0] == "web":
        # Web processes count together, from nothing at each start.
        os.environ.setdefault("METRICS_DIR", tempfile.mkdtemp(prefix="cognate-metrics-"))
        os.environ.update(ALLOCATOR)
    command = commands[arguments[0]]()
    os.execv(command[0], command)  # noqa: S606 - the command is made above; nothing returns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
