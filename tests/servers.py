"""PostgreSQL and Redis of the tests' own, and the environment that Django's settings are read from.

One run takes one slot of ``var/test`` (or ``COGNATE_TEST_DATA_DIR``); runs at the same time take slots of their own.
The slot's cluster is kept, with a migrated database as the template of all others. Imported before Django.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from identity.embedded import keys
from identity.embedded.parts import Part
from identity.embedded.postgres import Postgres
from identity.embedded.processes import end, forget, forget_all, remember, spawn
from identity.embedded.redis import Redis

ROOT = Path(__file__).resolve().parent.parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# What a developer's shell may hold and a test must not see.
FOREIGN = (
    "AWS_PROFILE BREACHED_PASSWORDS_URL CONSOLE_URL DEBUG METRICS_BIND OUTBOUND_PRIVATE_HOSTS SMTP_HOST "
    "STS_ENDPOINT_URL STS_PUBLIC_URL TRUSTED_PROXIES LOG_LEVEL LOG_FORMAT WEB_WORKERS WEB_THREADS WEB_NODES MESSAGES "
    "MAIL_CHANNEL SMS_CHANNEL MESSAGES_ACCESS_KEY_ID MESSAGES_SECRET_ACCESS_KEY SES_REGION SNS_REGION SES_ENDPOINT_URL "
    "EUMS_REGION EUMS_ORIGINATION_IDENTITY EUMS_CONFIGURATION_SET EUMS_ENDPOINT_URL "
    "SNS_ENDPOINT_URL SNS_STS_ENDPOINT_URL REGION ACCOUNT_ID INSECURE_PROVIDERS SOCIAL_PROVIDERS_URL "
    "OPENID_PROVIDERS SAML_PROVIDERS"
)


NOT_IN_PRODUCTION = ("rich", "pygments", "greenlet")
"""What structlog would load only because the development environment has it: 4 MiB."""


def hide_what_production_lacks(folder: Path) -> str:
    """Fill a folder that hides it from programs that have this PYTHONPATH."""
    for name in NOT_IN_PRODUCTION:
        (folder / f"{name}.py").write_text("raise ImportError\n")
    return str(folder)


def free_port() -> int:
    """Return a free port below those that the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the file's lock; says whether it was got."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def take_slot() -> Path:
    """Return a folder that no other run uses, held until this process ends."""
    place = Path(os.environ.get("COGNATE_TEST_DATA_DIR") or ROOT / "var" / "test").resolve()
    for number in range(100):
        slot = place / str(number)
        slot.mkdir(parents=True, exist_ok=True)
        held = contextlib.ExitStack()
        if held.enter_context(locked(slot / "lock", wait=False)):
            atexit.register(held.close)
            return slot
        held.close()
    raise RuntimeError(f"A hundred test runs hold {place}.")


def start_part(part: Part, slot: Path) -> None:
    """Start a server that ends with this process."""
    part.before()
    with (slot / f"{part.name}.log").open("wb") as log:
        process = spawn(part, output=log)
    remember(slot / "processes", process.pid, part.name)

    def stop() -> None:
        end(process, part)
        forget(slot / "processes", process.pid)

    atexit.register(stop)
    for _ in range(600):
        if part.ready():
            return
        if process.poll() is not None:
            break
        sleep(0.05)
    raise RuntimeError(f"{part.name} does not start: {(slot / f'{part.name}.log').read_text()[-2000:]}")


def start() -> None:
    """Start the servers once for all workers of a run; tell this process where they are."""
    if WORKER == "main":
        slot = take_slot()
        forget_all(slot / "processes")
        postgres, redis = Postgres(slot, durable=False, connections=300), Redis(slot)
        for server in (postgres, redis):
            server.prepare()
            start_part(server.part(), slot)
        os.environ["COGNATE_TEST_SLOT"] = str(slot)
        keys.ensure(slot / "secret_keys")
    slot = Path(os.environ["COGNATE_TEST_SLOT"])
    for name in FOREIGN.split():
        os.environ.pop(name, None)
    port = free_port()
    os.environ.update(
        MODE="development",
        DEMO="0",
        WIRE_RESPONSE_CHECKS="1",
        PORT=str(port),
        TLS_PORT=str(free_port()),
        BASE_URL=f"http://localhost:{port}",
        DATA_DIR=str(slot / WORKER),
        SECRET_KEYS_FILE=str(slot / "secret_keys"),
        DATABASE_URL=Postgres(slot).url("cognate"),
        REDIS_URL=Redis(slot).url(),
        REDIS_PREFIX=f"{WORKER}:{os.getpid()}:",
        DJANGO_SETTINGS_MODULE="identity.settings",
        AWS_EC2_METADATA_DISABLED="true",
    )
    (slot / WORKER).mkdir(exist_ok=True)


def slot() -> Path:
    """Return this run's folder."""
    return Path(os.environ["COGNATE_TEST_SLOT"])


def postgres() -> Postgres:
    """Return this run's PostgreSQL."""
    return Postgres(slot())


def template() -> str:
    """Return the name of a migrated database to copy, made when migrations have changed."""
    files = sorted(
        path for app in ("identity", "pools", "federation") for path in (ROOT / app / "migrations").glob("*.py")
    )
    name = "migrated_" + hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    server = postgres()
    with locked(slot() / "template.lock"), psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        kept = [row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'migrated_%'")]
        if name not in kept:
            for old in kept:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
            draft = f"draft_{name}"
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(draft)))
            server.ensure_database(draft)
            migrate(server.url(draft))
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
            )
    return name


def migrate(url: str) -> None:
    """Bring a database up to date in a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py migrate fails:\n{done.stderr[-4000:]}")


def as_web(url: str) -> str:
    """Return a database's address for web processes: by a role of their own, this run's and worker's."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"web_{WORKER}:{WORKER}@{parts.netloc.rpartition('@')[2]}").geturl()


def fresh_database(name: str, *, migrated: bool = True, source: str | None = None) -> str:
    """Return the address of a new database of that name, or of a copy of another; an old one goes."""
    server = postgres()
    source = template() if migrated and not source else source
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    server.ensure_database(name, template=source)
    return server.url(name)
