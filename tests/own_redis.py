"""A Redis of a test's own, to be taken away: killed, so that nobody listens, or stopped, so that it says nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import redis

from identity.embedded.processes import end, kill_group, spawn
from identity.embedded.redis import Redis

PATIENCE = 20


class OwnRedis:
    """One server, and its process while there is one."""

    def __init__(self, place: Path) -> None:
        """Find the program; start nothing yet."""
        server = Redis(place)
        server.prepare()
        self.url = server.url()
        self.part = server.part()
        self.process: subprocess.Popen[bytes] | None = None

    def client(self) -> redis.Redis:
        """Return what asks it."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = spawn(self.part, output=subprocess.DEVNULL)
        until = monotonic() + PATIENCE
        while not self.part.ready():
            assert monotonic() < until, "Redis does not start"
            sleep(0.02)

    def kill(self) -> None:
        """Kill it without warning."""
        assert self.process is not None
        kill_group(self.process.pid)
        self.process.wait()
        self.process = None

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Have it keep its connections and say nothing."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Have nobody listen."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def end(self) -> None:
        """End it for good."""
        if self.process is not None:
            end(self.process, self.part)


@contextlib.contextmanager
def running(place: Path) -> Iterator[OwnRedis]:
    """Start one, and leave nothing of it behind."""
    server = OwnRedis(place)
    server.start()
    try:
        yield server
    finally:
        server.end()
