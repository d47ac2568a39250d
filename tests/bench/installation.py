"""The installation under test: durable PostgreSQL and Redis, one web process as ``make run`` starts it, a pool."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

from identity.embedded import keys
from identity.embedded.parts import Part
from identity.embedded.postgres import Postgres
from identity.embedded.processes import end, spawn
from identity.embedded.redis import Redis
from tests.servers import ROOT, free_port, hide_what_production_lacks

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool

HOME = ROOT / "var" / "bench"
THREADS = 24
PEOPLE = 100
PASSWORD = "Correct-horse-1"
CALLBACK = "https://app.example.com/back"


def keep(part: Part, settings: dict[str, str] | None = None) -> int:
    """Start something that ends with this process; wait until it is ready, and return its process id."""
    part.before()
    with (HOME / f"{part.name}.log").open("wb") as log:
        process = spawn(part, settings, output=log)
    atexit.register(end, process, part)
    until = perf_counter() + 60
    while not part.ready():
        if process.poll() is not None or perf_counter() > until:
            raise RuntimeError(f"{part.name} does not start: {(HOME / f'{part.name}.log').read_text()[-3000:]}")
        sleep(0.02)
    return process.pid


def listens(port: int) -> bool:
    """Say whether a server takes connections."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


def answers(port: int, path: str) -> bool:
    """Say whether a server answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except OSError:
        return False


def installation(port: int) -> Part:
    """Return the installation's web server of one process, as production starts it."""
    command = (sys.executable, "-m", "identity.serve", "web")
    (hidden := HOME / "hidden").mkdir(exist_ok=True)
    path = {"PYTHONPATH": hide_what_production_lacks(hidden)}
    return Part("installation", command, path, directory=ROOT, ready=lambda: answers(port, "/health/ready"))


def floor(port: int) -> Part:
    """Return the floor's, by the same server."""
    from identity import serve

    command = (*serve.web("127.0.0.1", port, 1, THREADS)[:-1], "tests.bench.floor:application")
    return Part("floor", command, environment=serve.ALLOCATOR, directory=ROOT, ready=lambda: answers(port, "/empty"))


def start() -> tuple[dict[str, int], int]:
    """Start everything; return ports by name, and PostgreSQL's process id."""
    HOME.mkdir(parents=True, exist_ok=True)
    postgres, redis = Postgres(HOME, connections=200), Redis(HOME)
    pids = []
    for server in (postgres, redis):
        server.prepare()
        pids.append(keep(server.part()))
    postgres.ensure_database("cognate")
    keys.ensure(HOME / "secret_keys")
    ports = {name: free_port() for name in ("installation", "floor", "sts", "smtp", "upstream")}
    os.environ.update(
        MODE="development",
        DEMO="0",
        PORT=str(ports["installation"]),
        BASE_URL=f"http://localhost:{ports['installation']}",
        DATA_DIR=str(HOME),
        SECRET_KEYS_FILE=str(HOME / "secret_keys"),
        DATABASE_URL=postgres.url("cognate"),
        REDIS_URL=redis.url(),
        REDIS_PREFIX="bench:",
        WEB_WORKERS="1",
        WEB_THREADS=str(THREADS),
        STS_ENDPOINT_URL=f"http://127.0.0.1:{ports['sts']}",
        METRICS_BIND="127.0.0.1",
        LOG_LEVEL="warning",
        DJANGO_SETTINGS_MODULE="identity.settings",
    )
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
    return ports, pids[0]


@dataclass
class World:
    """A pool with people, its clients, and what they hold."""

    pool: UserPool
    client: AppClient
    machine: AppClient
    machine_secret: str
    identity_pool: str
    access_key: tuple[str, str]
    names: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """Return the pool's path."""
        return f"/{self.pool.public_id}"


def make() -> World:
    """Make a pool with people by the services. Django is set up by now."""
    from identity.foundation import names
    from identity.foundation.actor import Actor
    from pools.services import access
    from pools.services.identity_pools import identity_pools
    from pools.services.operators import operators
    from pools.services.pools import app_clients, client_secrets, resource_servers
    from tests import factories

    by = Actor.system()
    pool = factories.make_pool(auto_verified_attributes=["email"])
    resource_servers.create(
        pool, identifier="photos", name="Photos", scopes=[{"name": "read", "description": "Read."}], by=by
    )
    code = {
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": ["code"],
        "allowed_oauth_scopes": ["openid", "email", "aws.cognito.signin.user.admin"],
        "callback_urls": [CALLBACK],
        "supported_identity_providers": ["COGNITO"],
    }
    client = factories.make_client(pool, explicit_auth_flows=[*factories.FLOWS, "ALLOW_USER_SRP_AUTH"], **code)
    machine = app_clients.create(
        pool,
        "machine",
        settings={
            "generate_secret": True,
            "allowed_oauth_flows_user_pool_client": True,
            "allowed_oauth_flows": ["client_credentials"],
            "allowed_oauth_scopes": ["photos/read"],
        },
        by=by,
    )
    provider = names.without_scheme(names.issuer(pool.public_id))
    identities = identity_pools.create(
        "bench",
        settings={
            "allow_unauthenticated_identities": False,
            "cognito_identity_providers": [
                {"provider_name": provider, "client_id": client.client_id, "server_side_token_check": False}
            ],
        },
        by=by,
    )
    role = {"authenticated": "arn:aws:iam::000000000000:role/member"}
    identity_pools.set_roles(identities, roles=role, mappings=None, by=by)
    secret = client_secrets.values(access.client(machine.client_id))[0]
    key = operators.create_key(operators.create(f"bench-{pool.public_id}", by=by), by=by)
    world = World(pool, client, machine, secret, identities.public_id, key)
    for number in range(PEOPLE):
        name = f"person{number}"
        factories.make_user(pool, name, email=f"{name}@example.com")
        world.names.append(name)
    return world


def issue_code(world: World, count: int) -> list[str]:
    """Return fresh authorization codes of a signed-in person."""
    from identity.foundation.actor import Actor
    from pools.services.sign_in import flows, machine
    from pools.services.tokens import authorization_codes, sessions
    from pools.services.tokens.bound import Bound

    done: Any = machine.begin(
        flows.by_pages(world.client), username=world.names[0], answers={"password": PASSWORD}, by=Actor.visitor()
    )
    session = sessions.signed_in_session(world.pool, done.opened_session.cookie)
    if session is None:
        raise RuntimeError("the browser's session is not there")
    bound = Bound(("openid", "email", "aws.cognito.signin.user.admin"), oauth=True)
    return [
        authorization_codes.issue_code(world.client, session, redirect_uri=CALLBACK, bound=bound) for _ in range(count)
    ]


def where() -> Path:
    """Return where the figures are kept."""
    return ROOT / "var" / "bench.json"
