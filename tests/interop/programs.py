"""Programs of others that these tests run: each in a folder of its own, until whoever needs it is done."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep

import requests

from tests import node_packages, servers

PATIENCE = 20
NODE = Path(__file__).with_name("node")


@contextlib.contextmanager
def running(
    command: Sequence[str],
    url: str,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    seconds: float = PATIENCE,
) -> Iterator[None]:
    """Run a server, whose log is in its folder, from when an address of it answers. What it started ends with it."""
    log = folder / "log"
    given = {**os.environ, **(environment or {})}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait(url, process, log, seconds)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def in_node(program: str, **settings: str) -> Iterator[str]:
    """Run a provider that is in the folder ``node`` with these settings; return its issuer."""
    folder = node_packages.folder(NODE, "upstreams")
    given = json.dumps({"port": servers.free_port(), **settings})
    with subprocess.Popen(
        ["node", program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            process.stdin.write(f"{given}\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield json.loads(line)["issuer"]
        finally:
            process.kill()


def wait(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Wait until an address answers that all is well."""
    until = monotonic() + seconds
    while monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=2).status_code == HTTPStatus.OK:
                return
        sleep(0.05)
    raise AssertionError(log.read_text(errors="replace")[-3000:])
