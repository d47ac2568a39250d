"""A second Cognate beside the live one: database, address and web process of its own, by the production command."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, cast

from identity.embedded.parts import Part
from identity.embedded.processes import end, spawn
from tests import servers
from tests.live import SESSION, Live

PATIENCE = 60


class SecondInstallation:
    """What tests ask of an installation that they reach by its address alone."""

    def __init__(self, live: Live) -> None:
        """Make its database and the access key that signs; start nothing yet."""
        self.port = servers.free_port()
        self.base_url = f"http://localhost:{self.port}"
        self.settings = {
            **live.settings,
            "DATABASE_URL": servers.fresh_database(f"second_{servers.WORKER}"),
            "REDIS_PREFIX": f"second:{live.settings['REDIS_PREFIX']}",
            "BASE_URL": self.base_url,
            "PORT": str(self.port),
            "BIND": "127.0.0.1",
        }
        live.manage("create_operator", "second", **self.settings)
        made = live.manage("create_access_key", "second", **self.settings)
        self.key = dict(line.split("=", 1) for line in made.splitlines() if "=" in line)

    def boto(self) -> Any:  # noqa: ANN401 - boto3's own
        """Return a client of its user pools."""
        return SESSION.client(
            "cognito-idp",
            endpoint_url=self.base_url,
            region_name="us-east-1",
            aws_access_key_id=self.key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.key["AWS_SECRET_ACCESS_KEY"],
        )

    def is_ready(self) -> bool:
        """Say whether it answers as ready."""
        try:
            with urllib.request.urlopen(f"{self.base_url}/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running(live: Live) -> Iterator[Live]:
    """Run one; what is given has as much of an installation as a ``World`` needs."""
    second = SecondInstallation(live)
    part = Part("web", (sys.executable, "-m", "identity.serve", "web"), directory=servers.ROOT)
    with (live.logs / "second.log").open("wb") as log:
        process = spawn(part, second.settings, output=log)
    try:
        until = monotonic() + PATIENCE
        while not second.is_ready():
            assert process.poll() is None, (live.logs / "second.log").read_text()[-3000:]
            assert monotonic() < until
            sleep(0.1)
        yield cast("Live", second)
    finally:
        end(process, part)
