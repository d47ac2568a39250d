"""Everything that ``make run`` starts, in a data folder of the test's own, and its parts by name."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from identity.embedded import folder
from identity.embedded.postgres import Postgres
from identity.embedded.redis import Redis
from tests import servers

PATIENCE = 90
SET_UP = ("postgres", "postgres_password", "secret_keys", "version.json")
"""What a first start makes and later ones keep: the migrated database and its keys."""


class Installation:
    """One ``make run``. It has the demo's pool, but nobody starts an AWS for it."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        """Choose ports; start nothing yet."""
        self.data_dir = data_dir
        self.under: tuple[str, ...] = ()
        """A command that becomes the one it is given."""
        foreign = ("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "SECRET_KEYS_FILE", "WIRE_RESPONSE_CHECKS")
        self.environment = {name: value for name, value in os.environ.items() if name not in foreign} | {
            "DATA_DIR": str(data_dir),
            "DEMO": "1",
            "STS_ENDPOINT_URL": "http://localhost:9",
            "WEB_WORKERS": "1",
        }
        self.choose_ports()
        self.environment |= settings
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self.seen = 0
        """Where the newest start begins in what the terminal shows."""
        self.process: subprocess.Popen[bytes] | None = None

    def choose_ports(self) -> None:
        """Be at other ports from the next start on."""
        self.port = servers.free_port()
        self.base_url = f"http://localhost:{self.port}"
        self.environment |= {
            "PORT": str(self.port),
            "TLS_PORT": str(servers.free_port()),
            "BASE_URL": self.base_url,
        }

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it and do not wait."""
        self.seen = len(self.shown())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.under, sys.executable, "-m", "identity.embedded"],
                cwd=servers.ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def start(self) -> float:
        """Start it; return after how many seconds ``/health/ready`` said yes."""
        began = monotonic()
        process = self.spawn()
        while not self.is_ready():
            if process.poll() is not None or monotonic() - began > PATIENCE:
                raise AssertionError(f"not ready:\n{self.said()[-6000:]}")
            sleep(0.05)
        return monotonic() - began

    def is_ready(self) -> bool:
        """Say whether it answers as ready."""
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.base_url}/health/ready", timeout=2):
            return True
        return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.process.wait(60)

    def shown(self) -> str:
        """Return what the terminal shows, of all starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def said(self) -> str:
        """Return what the terminal shows, and what the parts have said in this start and the one before."""
        files = sorted(self.data_dir.glob("log/*"), reverse=True)
        return "\n".join([*(path.read_text(errors="replace") for path in files), self.shown()])

    def leaders(self) -> dict[str, int]:
        """Return the process id of each part."""
        found = {}
        for note in (self.data_dir / "processes").iterdir():
            with contextlib.suppress(OSError):
                found[note.read_text().split()[2]] = int(note.name)
        return found

    def kill(self, name: str) -> None:
        """Kill a part and its children without warning."""
        os.killpg(self.leaders()[name], signal.SIGKILL)

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` beside the running installation; return what it prints."""
        settings = {
            "DATABASE_URL": Postgres(self.data_dir).url(),
            "REDIS_URL": Redis(self.data_dir).url(),
            "SECRET_KEYS_FILE": str(self.data_dir / "secret_keys"),
        }
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=servers.ROOT,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def bootstrap(self) -> dict[str, Any]:
        """Return the bootstrap file, once the demo is seeded."""
        until = monotonic() + PATIENCE
        found: dict[str, Any] = {}
        # It is written stage by stage.
        while not (found.get("identity_pool_id") and found.get("base_url")):
            assert monotonic() < until, self.said()[-3000:]
            with contextlib.suppress(FileNotFoundError):
                found = json.loads((self.data_dir / "bootstrap.json").read_text())
            sleep(0.1)
        return found


def lived_in(data_dir: Path) -> Path:
    """Give a new data folder what another start has set up, for tests of what comes after; return it."""
    kept = servers.slot() / "installation"
    with servers.locked(servers.slot() / "installation.lock"):
        if not folder.is_current(kept, servers.ROOT):
            shutil.rmtree(kept, ignore_errors=True)
            with running(kept, DEMO="0"):
                pass
    data_dir.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", *(str(kept / name) for name in SET_UP), str(data_dir)], check=True)
    return data_dir


def attempt(data_dir: Path, module: str = "embedded", *more: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program of ours beside that data folder to its end."""
    installation = Installation(data_dir, **settings)
    return subprocess.run(
        [sys.executable, "-m", f"identity.{module}", *more],
        cwd=servers.ROOT,
        env=installation.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextlib.contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[Installation]:
    """Start an installation, and leave nothing of it behind."""
    installation = Installation(data_dir, **settings)
    try:
        installation.start()
        yield installation
    finally:
        if installation.process and installation.process.poll() is None:
            installation.stop()
