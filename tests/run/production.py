"""The production shape without containers: what Dockerfile and compose file say, at addresses of this machine.

Files, commands and environment are read from the two, so that they cannot drift from what is tested.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from identity.embedded.processes import kill_group
from tests import factories, servers

COMPOSE: dict[str, Any] = yaml.safe_load((servers.ROOT / "docker-compose.yml").read_text())
# One instruction a line; comments may stand inside one.
IMAGE = re.sub(r"^#.*\n", "", (servers.ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
SERVING = IMAGE.rpartition("\nFROM ")[2]
"""The stage whose image runs."""
PYTHON = "/opt/cognate/bin/python"
ALIVE = "/tmp/alive"
SERVED = ("web", "worker", "beat")


def instructions(word: str, stage: str = IMAGE) -> list[str]:
    """Return what follows that word in the Dockerfile, or in one stage of it."""
    return re.findall(rf"^{word} (.+)$", stage, re.MULTILINE)


def interpolated(text: str, told: Mapping[str, str]) -> str:
    """Return a value of the compose file with the variables that whoever starts it has set."""

    def value(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(":-")
        name, required, why = name.partition(":?")
        assert not required or name in told, why
        return told.get(name) or default

    return re.sub(r"\$\{([^}]+)\}", value, text)


class Production:
    """Web, worker and beat over a database of their own."""

    def __init__(self, home: Path, told: Mapping[str, str]) -> None:
        """Know everything; ``told`` is what whoever starts it exports."""
        self.home = home
        self.tree = home / "image"
        self.told = told
        self.port = servers.free_port()
        self.database = ""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # What a container has under names of its own.
        self.here = {
            "/run/secrets/": f"{home}/secrets/",
            "redis://redis:6379/0": os.environ["REDIS_URL"],
            COMPOSE["networks"]["front"]["ipam"]["config"][0]["subnet"]: "127.0.0.1/32",
        }

    def prepare(self) -> None:
        """Make the image's files, an empty database and the secrets."""
        self.tree.mkdir()
        for copied in instructions("COPY"):
            name, _, target = copied.partition(" ")
            if (servers.ROOT / name).is_dir():
                shutil.copytree(servers.ROOT / name, self.tree / target, ignore=shutil.ignore_patterns("__pycache__"))
            elif target == "./":
                shutil.copy(servers.ROOT / name, self.tree)
        [made] = [line for line in instructions("RUN") if "collectstatic" in line]
        done = subprocess.run(
            ["/bin/sh", "-c", made.replace(PYTHON, shlex.quote(sys.executable))],
            cwd=self.tree,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        secrets = self.home / "secrets"
        secrets.mkdir(mode=0o700)
        (self.home / "tmp").mkdir()
        self.database = servers.fresh_database(f"production_{servers.WORKER}", migrated=False)
        (secrets / "database_url").write_text(f"{self.database}\n")
        (secrets / "web_database_url").write_text(f"{servers.as_web(self.database)}\n")
        (secrets / "secret_keys").write_text(f"{factories.key_line('k1')}\n")
        for path in secrets.iterdir():
            path.chmod(0o600)

    def environment(self, service: str) -> dict[str, str]:
        """Return what a service's processes are told."""
        found = {"TMPDIR": f"{self.home}/tmp"}
        for pair in " ".join(instructions("ENV", SERVING)).split():
            name, _, value = pair.partition("=")
            found[name] = value
        for name, value in COMPOSE["services"][service]["environment"].items():
            found[name] = interpolated(value, self.told)
            for theirs, ours in self.here.items():
                found[name] = found[name].replace(theirs, ours)
            found[name] = found[name].replace(ALIVE, str(self.alive(service)))
        return found | {"PATH": os.environ["PATH"], "BIND": "127.0.0.1", "PORT": str(self.port)}

    def command(self, *words: str) -> list[str]:
        """Return a command with the Python that is here."""
        assert words[0] == "python"
        return [sys.executable, *words[1:]]

    def run(self, service: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of a service's, by default its own, to its end."""
        return subprocess.run(
            self.command(*(words or COMPOSE["services"][service]["command"])),
            cwd=self.tree,
            env=self.environment(service) | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self, service: str) -> None:
        """Start a service and do not wait."""
        with self.log(service).open("wb") as log:
            self.processes[service] = subprocess.Popen(
                self.command(*COMPOSE["services"][service]["command"]),
                cwd=self.tree,
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def alive(self, service: str) -> Path:
        """Return the file by which a service shows that it works."""
        return self.home / f"{service}.alive"

    def is_well(self, service: str) -> bool:
        """Ask the service's own health check."""
        [kind, *words] = COMPOSE["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        told = {"PATH": os.environ["PATH"]}
        asked = [
            word.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}").replace(ALIVE, str(self.alive(service)))
            for word in self.command(*words)
        ]
        return subprocess.run(asked, env=told, capture_output=True, check=False).returncode == 0

    def stop(self, service: str) -> int:
        """Ask a service to end, as an administrator does; return its status."""
        process = self.processes.pop(service)
        process.terminate()
        return process.wait(20)

    def leave_nothing(self) -> None:
        """Kill what is left."""
        for process in self.processes.values():
            kill_group(process.pid)
            process.wait()

    def log(self, service: str) -> Path:
        """Return where a service's output is."""
        return self.home / f"{service}.log"
