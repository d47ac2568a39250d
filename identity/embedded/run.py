"""What ``make run`` does: everything on one machine, in one foreground process.

The steps are in :meth:`Installation.run`; keeping parts alive is ``supervisor``'s.
"""

from __future__ import annotations

import errno
import http.client
import json
import math
import shutil
import socket
import sys
import threading
from urllib.parse import urlsplit

from identity import serve
from identity.embedded import folder, keys, running, tls
from identity.embedded.journal import Journal, shown
from identity.embedded.parts import CannotStart, Part, PartGroup
from identity.embedded.postgres import Postgres
from identity.embedded.processes import forget_all
from identity.embedded.redis import Redis
from identity.embedded.supervisor import Supervisor
from identity.environment import Environment
from identity.foundation import clock
from identity.settings import BASE_DIR

STORAGE = ("postgres", "redis")
SPARE = 30
"""Connections that PostgreSQL may still be ending, of parts that died and were started again."""
PATIENCE = 20.0
"""Seconds that the addresses wait for worker, beat and HTTPS once the web server is ready."""
# Granian doubts that so many threads are wise; they wait for the database and the outside, not for a core.
# The supervisor's own question is answered so until the web server is ready.
HUSHED = ("Configuration allows spawning", "Service Unavailable: /health/ready")
# Celery warns of root; who starts `make run` as root has chosen to.
HUSHED_OF_CELERY = (
    *("SecurityWarning", "absolutely not recommended", "Please specify a different user", "User information: uid="),
    "_warn_or_raise_security_error",
)


class Installation:
    """All of Cognate on this machine."""

    def __init__(self, environment: Environment) -> None:
        """Know what was configured; start nothing yet."""
        self.environment = environment
        self.data_dir = environment.data_dir
        self.journal = Journal(self.data_dir / "log")
        self.supervisor = Supervisor(self.data_dir, self.journal)
        self.settings: dict[str, str] = {}
        self.cluster_is_old = False
        self.is_seeded = False
        self.console_link = ""

    def run(self) -> int:
        """Start everything, stay until told to stop, stop everything; return the exit status."""
        self.supervisor.listen()
        held = None
        try:
            held = folder.claim(self.data_dir)
            forget_all(self.supervisor.notes)
            folder.check_version(self.data_dir, BASE_DIR)
            folder.check_room(self.data_dir)
            self.check_ports()
            self.tell()
            storage = self.start_storage()
            if storage and self.migrate():
                self.start_processes()
            self.supervisor.stopping.wait()
        except CannotStart as problem:
            self.supervisor.fail(str(problem))
        except OSError as problem:
            if problem.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            self.supervisor.fail(f"The disk is full: {self.data_dir} cannot be written to.")
        finally:
            if self.supervisor.runners:
                self.supervisor.say("stopping")
            self.supervisor.stop(last=STORAGE)
            if held:
                running.forget(self.data_dir)
            if held:
                held.close()
        if self.supervisor.verdict:
            sys.stderr.write(f"{self.supervisor.verdict}\n")
        return 1 if self.supervisor.verdict else 0

    def check_ports(self) -> None:
        """Refuse a port that is wanted twice or that another program holds, which granian itself would share."""
        address = self.environment.bind
        if self.environment.port == self.environment.tls_port:
            raise CannotStart(f"PORT and TLS_PORT are both {self.environment.port}: set one of them to another port.")
        for name, port in (("PORT", self.environment.port), ("TLS_PORT", self.environment.tls_port)):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                with socket.socket(family) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((address, port))
            except OSError as problem:
                if problem.errno == errno.EADDRINUSE:
                    raise CannotStart(
                        f"Port {port} is taken by another program: stop it, or set {name} to a free port."
                    ) from None
                reason = problem.strerror or problem
                raise CannotStart(f"Port {port} on {address} cannot be opened: {reason}; see {name}, BIND.") from None

    def tell(self) -> None:
        """Gather what every process of Cognate is told."""
        environment = self.environment
        secret_keys = environment.secret_keys_file or self.data_dir / "secret_keys"
        keys.ensure(secret_keys)
        metrics = self.data_dir / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        self.settings = {
            "MODE": environment.mode,
            "PORT": str(environment.port),
            "TLS_PORT": str(environment.tls_port),
            "DATA_DIR": str(self.data_dir),
            "BASE_URL": environment.base_url,
            "SECRET_KEYS_FILE": str(secret_keys),
            "DATABASE_URL": environment.database_url,
            "REDIS_URL": environment.redis_url,
            "WEB_WORKERS": str(environment.web_workers),
            "METRICS_DIR": str(metrics),
            **serve.ALLOCATOR,
            "DJANGO_SETTINGS_MODULE": "identity.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def start_storage(self) -> bool:
        """Start PostgreSQL and Redis unless there are servers of one's own."""
        postgres = None
        if not self.environment.database_url:
            postgres = Postgres(self.data_dir, connections=self.connections())
            self.cluster_is_old = postgres.data.exists()
            postgres.prepare()
            self.supervisor.keep(postgres.part(), {})
            self.settings["DATABASE_URL"] = postgres.url()
        if not self.environment.redis_url:
            redis = Redis(self.data_dir)
            if redis.is_to_be_fetched():
                self.supervisor.say("fetching a Redis server (6 MB), as there is no redis-server on the PATH")
            redis.prepare()
            self.supervisor.keep(redis.part(), {})
            self.settings["REDIS_URL"] = redis.url()
        if not self.supervisor.wait_ready(*self.supervisor.runners):
            return False
        if postgres:
            self.cluster_is_old &= not postgres.ensure_database("cognate")
        return True

    def connections(self) -> int:
        """Return how many connections PostgreSQL must allow, so that check E015 finds enough."""
        environment = self.environment
        ours = serve.connections(
            web_threads=environment.web_threads,
            web_processes=environment.web_workers * environment.web_nodes,
            worker_threads=environment.worker_threads,
            over_tls=True,
        )
        return max(100, ours + serve.RESERVED + SPARE)

    def migrate(self) -> bool:
        """Bring the database up to date."""
        # A start from a warm checkout must not pay for looking: only this program writes to its own cluster.
        if self.cluster_is_old and folder.is_current(self.data_dir, BASE_DIR):
            return True
        if self.manage("migrate", "migrate", "--verbosity", "0" if self.cluster_is_old else "1"):
            folder.record_version(self.data_dir, BASE_DIR)
            self.supervisor.say("the database is up to date")
            return True
        self.supervisor.fail(f"The database cannot be brought up to date. {self.journal.last_lines('migrate')}")
        return False

    def start_processes(self) -> None:
        """Set up the demo, then start web, worker, beat and the demo's AWS."""
        aws = self.demo_aws()
        self.settings |= aws.settings
        running.write(self.data_dir, self.settings)
        # Whoever sees the web server ready finds the bootstrap file: where it is that of an earlier start with the same
        # addresses, the web server need not wait.
        if self.environment.demo and not self.is_told(aws):
            self.seed(aws)
        for part in (self.web(), self.web_over_tls(), self.worker(), self.beat()):
            self.supervisor.keep(part, self.settings)
        threading.Thread(target=self.settle, args=(aws,), daemon=True).start()

    def is_told(self, aws: PartGroup) -> bool:
        """Say whether the bootstrap file is whole and tells the addresses of this start."""
        try:
            kept = json.loads((self.data_dir / "bootstrap.json").read_text())
        except (OSError, ValueError):
            return False
        it = self.environment
        return bool(
            kept.get("identity_pool_id")
            and kept.get("base_url") == it.base_url
            and kept.get("console_url") == f"{it.console_url}/console/"
            and urlsplit(kept.get("tls_base_url", "")).port == it.tls_port
            and kept.get("aws_endpoint_url") == aws.settings.get("STS_PUBLIC_URL", it.sts_public_url)
        )

    def demo_aws(self) -> PartGroup:
        """Return the demo's AWS, unless there is no demo or it has an AWS of its own."""
        if not self.environment.demo or self.environment.sts_endpoint_url:
            return PartGroup(())
        from identity.embedded import aws  # production's dependencies lack what it imports

        return aws.parts(self.data_dir)

    def seed(self, aws: PartGroup) -> None:
        """Set up the demo and write the bootstrap file."""
        self.is_seeded = True
        note = self.data_dir / "console_link"
        note.unlink(missing_ok=True)
        beside = ("--aws", "starting") if aws.parts else ()
        if self.manage("seed", "seed_demo", "--link", str(note), *beside):
            self.supervisor.say("the demo is set up")
        elif not self.supervisor.stopping.is_set():
            self.supervisor.say(f"the demo cannot be set up. {self.journal.last_lines('seed')}")
        if note.exists():
            self.console_link = note.read_text().strip()
            note.unlink()

    def settle(self, aws: PartGroup) -> None:
        """Say where everything is; then start the demo's AWS and seed that too."""
        if self.environment.demo and not self.is_seeded:
            self.seed(aws)
        if not self.supervisor.wait_ready("web"):
            return
        self.supervisor.wait_ready("tls", "worker", "beat", seconds=PATIENCE)
        if self.supervisor.stopping.is_set():
            return
        self.show_addresses(aws)
        for part in aws.parts:
            self.supervisor.keep(part, self.settings, quiet=True)
        while not aws.ready():
            if self.supervisor.stopping.wait(0.2):
                return
        if not aws.parts:
            return
        if self.manage("seed", "seed_demo", "--aws", "ready"):
            self.supervisor.say("the demo's AWS is ready")
        elif not self.supervisor.stopping.is_set():
            self.supervisor.say(f"the demo's AWS cannot be set up. {self.journal.last_lines('seed')}")

    def show_addresses(self, aws: PartGroup) -> None:
        """Say where everything is, and what is still to come."""
        base, environment = self.environment.base_url, self.environment
        console, kept = f"{environment.console_url}/console/", shown(self.data_dir / "bootstrap.json")
        operator = f"(operator: see {kept})" if environment.demo else "(make operator NAME=...)"
        rows = {
            "Demo": f"{base}/demo/" if environment.demo else "",
            "Mailbox": f"{base}/dev/mailbox"
            if "captured" in {environment.mail_channel, environment.sms_channel}
            else "",
            "Console": self.console_link or f"{console}  {operator}",
            "": "signs in by itself, once, within 30 minutes" if self.console_link else "",
            "API": f"{base}/  (endpoint_url of boto3; keys in {kept})",
            "HTTPS": f"https://localhost:{environment.tls_port}/  (authority: {shown(self.data_dir / 'ca.pem')})",
            "Logs": shown(self.journal.folder),
        }
        lines = "".join(f"  {name:<9}{value}\n" for name, value in rows.items() if value)
        coming = "The demo's AWS is still starting; a line says when photos can be kept. " if aws.parts else ""
        took = clock.monotonic() - self.journal.began
        self.journal.show(f"\nCognate is up after {took:.0f} s.\n\n{lines}\n{coming}Ctrl-C stops everything.\n\n")

    def manage(self, name: str, *arguments: str) -> bool:
        """Run a command of ``manage.py`` to its end."""
        part = Part(name, (sys.executable, str(BASE_DIR / "manage.py"), *arguments), directory=BASE_DIR)
        return self.supervisor.run_once(part, self.settings)

    def web(self) -> Part:
        """Return the web server."""
        it = self.environment
        command = serve.web(it.bind, it.port, it.web_workers, it.web_threads)
        return Part("web", command, directory=BASE_DIR, ready=self.is_ready, hushed=HUSHED)

    def web_over_tls(self) -> Part:
        """Return the web server on the HTTPS port: the same app, the same issuers."""
        kept = tls.prepare(self.data_dir)
        secured = (
            *("--ssl-certificate", str(kept.certificate), "--ssl-keyfile", str(kept.key)),
            # TLS 1.3 alone is granian's default; some HTTP libraries still in use lack it.
            *("--ssl-protocol-min", "tls1.2"),
        )
        command = serve.web(self.environment.bind, self.environment.tls_port, 1, serve.TLS_THREADS, *secured)
        # After the web server: two cores start one of them sooner than both.
        return Part("tls", command, directory=BASE_DIR, after=("web",), ready=self.is_listening, hushed=HUSHED)

    def worker(self) -> Part:
        """Return the Celery worker, ready once it has looked at the outbox for the first time."""
        alive = self.data_dir / "alive"
        return Part(
            "worker",
            serve.worker(self.environment),
            directory=BASE_DIR,
            environment={"ALIVE_FILE": str(alive), **serve.CHECKED},  # the web server checked them
            after=("web",),
            before=lambda: alive.unlink(missing_ok=True),
            ready=alive.exists,
            # Without its database it does not touch the file: no reason to start it again.
            ready_seconds=math.inf,
            hushed=HUSHED_OF_CELERY,
        )

    def beat(self) -> Part:
        """Return Celery's clock."""
        command = serve.beat(self.data_dir / "beat-schedule")
        return Part("beat", command, directory=BASE_DIR, after=("web",), hushed=HUSHED_OF_CELERY)

    def is_ready(self) -> bool:
        """Say whether the web server answers as ready."""
        connection = http.client.HTTPConnection(self.address(), self.environment.port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def is_listening(self) -> bool:
        """Say whether the HTTPS port is open."""
        try:
            socket.create_connection((self.address(), self.environment.tls_port), timeout=2).close()
        except OSError:
            return False
        return True

    def address(self) -> str:
        """Return where this process reaches what binds ``BIND``."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.environment.bind, self.environment.bind)  # noqa: S104
