"""What ``make run`` does: everything on one machine, in one foreground process.

The steps are in :meth:`House.run`; keeping parts alive is ``supervisor``'s.
"""

from __future__ import annotations

import errno
import http.client
import shutil
import socket
import sys
import threading

from identity import serve
from identity.embedded import folder, keys, tls
from identity.embedded.journal import Journal
from identity.embedded.parts import CannotStart, Ensemble, Part
from identity.embedded.postgres import Postgres
from identity.embedded.processes import forget_all
from identity.embedded.redis import Redis
from identity.embedded.supervisor import Supervisor
from identity.foundation import clock
from identity.settings import BASE_DIR, Environment

STORAGE = ("postgres", "redis")
SPARE = 30
"""Connections that PostgreSQL may still be ending, of parts that died and were started again."""
# Granian doubts that so many threads are wise; they wait for the database and the outside, not for a core.
HUSHED = ("Configuration allows spawning",)
# Celery warns of root; who starts `make run` as root has chosen to.
HUSHED_OF_CELERY = (
    *("SecurityWarning", "absolutely not recommended", "Please specify a different user", "User information: uid="),
    "_warn_or_raise_security_error",
)


class House:
    """All of Cognate on this machine."""

    def __init__(self, environment: Environment) -> None:
        """Know what was configured; start nothing yet."""
        self.environment = environment
        self.data_dir = environment.data_dir
        self.journal = Journal()
        self.supervisor = Supervisor(self.data_dir, self.journal)
        self.settings: dict[str, str] = {}
        self.began = clock.monotonic()
        self.cluster_is_old = False

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
                self.start_faces()
            self.supervisor.stopping.wait()
        except CannotStart as problem:
            self.supervisor.fail(str(problem))
        except OSError as problem:
            if problem.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            self.supervisor.fail(f"The disk is full: {self.data_dir} cannot be written to.")
        finally:
            if self.supervisor.keepers:
                self.supervisor.say("stopping")
            self.supervisor.stop(last=STORAGE)
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
            except OverflowError:
                raise CannotStart(f"{name} is {port}, which is no port number.") from None

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
            if not self.cluster_is_old:
                self.supervisor.say("PostgreSQL: setting up a new cluster")
            postgres.prepare()
            self.supervisor.keep(postgres.part(), {})
            self.settings["DATABASE_URL"] = postgres.url()
        if not self.environment.redis_url:
            redis = Redis(self.data_dir)
            if redis.is_to_be_fetched():
                self.supervisor.say("Redis: fetching a server (6 MB), as there is no redis-server on the PATH")
            redis.prepare()
            self.supervisor.keep(redis.part(), {})
            self.settings["REDIS_URL"] = redis.url()
        if not self.supervisor.wait_ready(*self.supervisor.keepers):
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
        self.supervisor.say("migrations: bringing the database up to date")
        if self.manage("migrate", "migrate", "--verbosity", "0" if self.cluster_is_old else "1"):
            folder.record_version(self.data_dir, BASE_DIR)
            return True
        self.supervisor.fail(f"The database cannot be brought up to date: {self.journal.last_words('migrate')}")
        return False

    def start_faces(self) -> None:
        """Start the demo's AWS, web, worker and beat, and seed the demo when they answer."""
        aws = self.demo_aws()
        self.settings |= aws.settings
        for part in (self.web(), self.web_over_tls(), self.worker(), self.beat()):
            self.supervisor.keep(part, self.settings)
        threading.Thread(target=self.settle, args=(aws,), daemon=True).start()

    def demo_aws(self) -> Ensemble:
        """Return the demo's AWS, unless there is no demo or it has an AWS of its own."""
        if not self.environment.demo or self.environment.sts_endpoint_url:
            return Ensemble(())
        from identity.embedded import aws  # production's dependencies lack what it imports

        return aws.parts(self.data_dir)

    def settle(self, aws: Ensemble) -> None:
        """Seed the demo, say where everything is; then start the demo's AWS and seed that too."""
        if not self.supervisor.wait_ready("web"):
            return
        beside = ("--aws", "starting") if aws.parts else ()
        if self.environment.demo and not self.manage("seed", "seed_demo", *beside):
            if self.supervisor.stopping.is_set():
                return
            self.supervisor.say(f"the demo cannot be set up: {self.journal.last_words('seed')}")
        self.show_addresses()
        for part in aws.parts:
            self.supervisor.keep(part, self.settings)
        while not aws.ready():
            if self.supervisor.stopping.wait(0.2):
                return
        if aws.parts and self.manage("seed", "seed_demo", "--aws", "ready"):
            self.supervisor.say(f"the demo's AWS is ready after {clock.monotonic() - self.began:.0f} s")

    def show_addresses(self) -> None:
        """Say where everything is."""
        base, environment = self.environment.base_url, self.environment
        rows = {
            "API": f"{base}/  (endpoint_url of boto3; keys in {self.data_dir / 'bootstrap.json'})",
            "Console": f"{environment.console_url}/console/",
            "Sample app": f"{base}/demo/" if environment.demo else "",
            "Mailbox": f"{base}/dev/mailbox" if environment.messages == "captured" else "",
            "HTTPS": f"https://localhost:{environment.tls_port}/  (authority: {self.data_dir / 'ca.pem'})",
        }
        lines = [f"  {name:<11}{value}\n" for name, value in rows.items() if value]
        took = clock.monotonic() - self.began
        self.journal.show(f"\nCognate is up after {took:.0f} s.\n{''.join(lines)}  Ctrl-C stops it.\n\n")

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
        return Part("tls", command, directory=BASE_DIR, after=("web",), hushed=HUSHED)

    def worker(self) -> Part:
        """Return the Celery worker."""
        return Part(
            "worker", serve.worker(self.environment), directory=BASE_DIR, after=("web",), hushed=HUSHED_OF_CELERY
        )

    def beat(self) -> Part:
        """Return Celery's clock."""
        command = serve.beat(self.environment, self.data_dir / "beat-schedule")
        return Part("beat", command, directory=BASE_DIR, after=("web",), hushed=HUSHED_OF_CELERY)

    def is_ready(self) -> bool:
        """Say whether the web server answers as ready."""
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.environment.bind, self.environment.bind)  # noqa: S104
        connection = http.client.HTTPConnection(address, self.environment.port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
