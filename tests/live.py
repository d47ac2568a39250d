"""A live installation for tests: a web process and a Celery worker over a database of their own.

What it does is committed, so tests make their own pools and leave them; nothing is flushed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import pytest
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from identity import serve
from identity.embedded.parts import Part
from identity.embedded.processes import end, kill_group, spawn
from identity.settings import environment
from tests import own_redis, servers, statements
from tests.own_redis import OwnRedis

PATIENCE = 60
SESSION = boto3.session.Session()
"""Of all clients: a session reads Amazon's models once, which takes ten times as long as a client does."""
NOTICES = frozenset(
    {
        "Your password was changed",
        "You have a temporary password",
        "Authenticator app added",
        "Authenticator app removed",
        "Codes are asked for at sign-in",
        "Codes are no longer asked for at sign-in",
    }
)
"""Subjects of mails that tell an owner of a change."""


class Live:
    """The processes and how to reach them."""

    def __init__(self, blocker: DjangoDbBlocker, redis: OwnRedis) -> None:
        """Know where everything will be; start nothing yet."""
        self.base_url = os.environ["BASE_URL"]
        self.port = int(os.environ["PORT"])
        self.region = "us-east-1"
        self.database = f"live_{servers.WORKER}"
        self.redis = redis
        """Its own, so that a test may take it away."""
        self.settings = {
            "DJANGO_SETTINGS_MODULE": "tests.live_settings",
            "REDIS_URL": redis.url,
            "REDIS_PREFIX": f"live:{os.environ['REDIS_PREFIX']}",
            "WEB_WORKERS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.blocker = blocker
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.access_key = ("", "")
        web = serve.web("127.0.0.1", self.port, 1, 24)
        self.parts = {
            "web": Part("web", web, directory=servers.ROOT, ready=self.is_ready),
            "worker": Part(
                "worker",
                serve.worker(environment),
                directory=servers.ROOT,
                environment={"PGAPPNAME": f"worker_{servers.WORKER}"},
            ),
        }

    @property
    def logs(self) -> Path:
        """Return the folder of the processes' output."""
        return servers.slot() / servers.WORKER

    def prepare(self) -> None:
        """Make the database and the access key that signs."""
        self.settings["DATABASE_URL"] = servers.fresh_database(self.database)
        role = servers.as_web(self.settings["DATABASE_URL"])
        self.parts["web"] = replace(self.parts["web"], environment={"DATABASE_URL": role})
        with self.orm():
            from identity.foundation.actor import Actor
            from pools.models import grants
            from pools.services.operators import operators

            parts = urlsplit(role)
            grants.give(str(parts.username), str(parts.password))

            by = Actor.system()
            self.access_key = operators.create_key(operators.create("live", by=by), by=by)

    def start(self, *names: str) -> None:
        """Start these processes, or all, and wait until the web process is ready."""
        for name in names or self.parts:
            with (self.logs / f"{name}.log").open("ab") as log:
                self.processes[name] = spawn(self.parts[name], self.settings, output=log)
        if not names or "web" in names:
            self.wait_ready()

    def stop(self, *names: str) -> None:
        """Stop these processes, or all, as an administrator would."""
        for name in names or list(self.processes):
            process = self.processes.pop(name, None)
            if process:
                end(process, self.parts[name])

    def restart(self, *names: str) -> None:
        """Stop and start these processes, or all."""
        self.stop(*names)
        self.start(*names)

    def kill(self, name: str) -> None:
        """Kill a process and its children without warning. It stays dead until ``start``."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kill_group(process.pid)

    def is_ready(self, port: int = 0) -> bool:
        """Say whether the web process answers as ready."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}/health/ready", timeout=2):
                return True
        except OSError:
            return False

    def wait_ready(self, name: str = "web", port: int = 0) -> None:
        """Wait until the web process is ready; show its log if it never is."""
        until = monotonic() + PATIENCE
        while not self.is_ready(port):
            if monotonic() > until or self.processes[name].poll() is not None:
                raise RuntimeError(f"The live web process is not ready:\n{self.log(name)[-6000:]}")
            sleep(0.1)

    def log(self, name: str) -> str:
        """Return what a process has said."""
        return (self.logs / f"{name}.log").read_text(errors="replace")

    @contextlib.contextmanager
    def second_web(
        self, *, server: str = "granian", application: str = "", itself: bool = False, **settings: str
    ) -> Iterator[str]:
        """Run another web process over the same database; give an address by which no other process is met.

        ``itself``: it takes that address for the installation's, and so leads nobody to the first process.
        """
        port = servers.free_port()
        if itself:
            settings |= {"BASE_URL": f"http://localhost:{port}", "PORT": str(port)}
        command = tuple(server if word == "granian" else word for word in serve.web("127.0.0.1", port, 1, 24))
        if application:
            command = (*command[:-1], application)
        self.parts["web2"] = Part("web2", command, directory=servers.ROOT, environment=settings)
        try:
            self.start("web2")
            self.wait_ready("web2", port)
            yield f"http://localhost:{port}"
        finally:
            self.stop("web2")
            del self.parts["web2"]

    def boto(
        self,
        service: str = "cognito-idp",
        *,
        signed: bool = True,
        url: str = "",
        key: tuple[str, ...] = (),
        **config: Any,
    ) -> Any:  # noqa: ANN401 - boto3's own
        """Return a boto3 client of ``cognito-idp`` or ``cognito-identity`` without retries, signed, by default with the
        installation's own key.
        """
        settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "read_timeout": 30, **config}
        if not signed:
            settings["signature_version"] = botocore.UNSIGNED
        key_id, secret = (key or self.access_key) if signed else (None, None)
        return SESSION.client(
            service,
            endpoint_url=url or self.base_url,
            region_name=self.region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=botocore.config.Config(**settings),
        )

    def messages(self, to: str) -> list[dict[str, Any]]:
        """Return captured mail and SMS for that address, newest first."""
        url = f"{self.base_url}/dev/messages?{urllib.parse.urlencode({'to': to})}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def message(self, to: str, *, count: int = 1, seconds: float = 10, notices: bool = False) -> dict[str, Any]:
        """Wait until at least ``count`` messages have reached that address; return the newest.

        What tells of a change of password or factor is not counted, or nothing else is.
        """
        until = monotonic() + seconds
        while len(found := [one for one in self.messages(to) if (one["subject"] in NOTICES) == notices]) < count:
            if monotonic() > until:
                raise AssertionError(f"{to} has {len(found)} of {count} messages.\n{self.log('worker')[-3000:]}")
            sleep(0.05)
        return found[0]

    def manage(self, *arguments: str, **settings: str) -> str:
        """Run a command of ``manage.py`` over the live database; return what it prints.

        In this process, which has imported Django, unless other settings are asked for.
        """
        if not settings:
            with self.orm(), io.StringIO() as printed:
                call_command(*arguments, stdout=printed)
                return printed.getvalue()
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=servers.ROOT,
            env={**os.environ, **self.settings, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)} fails:\n{done.stderr[-4000:]}")
        return done.stdout

    @contextlib.contextmanager
    def orm(self) -> Iterator[None]:
        """Let models and services of this process work on the live database, for set-up and for looking."""
        from django.db import connection

        with self.blocker.unblock():
            before = connection.settings_dict["NAME"]
            connection.close()
            connection.settings_dict["NAME"] = self.database
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict["NAME"] = before


@pytest.fixture(scope="session")
def live(django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Return a running installation with one web process and one Celery worker."""
    with own_redis.running(tmp_path_factory.mktemp("live")) as redis:
        installation = Live(django_db_blocker, redis)
        installation.prepare()
        try:
            installation.start()
            yield installation
        finally:
            installation.stop()
    for name in installation.parts:
        assert statements.WATCHED in installation.log(name)
        assert statements.MARK not in installation.log(name), installation.log(name)[-6000:]
