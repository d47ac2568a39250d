"""What a web process weighs that has answered requests of each kind, what all processes weigh, and what they lack."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import pytest

from identity.embedded.parts import Part
from identity.embedded.processes import end, spawn
from tests import servers
from tests.federation.servers import Told, serving
from tests.federation.test_sts import GIVEN
from tests.live import SESSION, Live

MOST = 102
"""MiB of one web worker, but for pages of files. 94 were measured, and 6 more once every thread has answered."""
OWN = 60
"""MiB of it that it does not share with the process that forked it: 59 were measured.

Ten of them are clients of AWS, and what speaks HTTP: imported for the first credentials, in each process anew.
"""
WHOLE = 275
"""MiB of web, worker and beat together, memory that several share counted once: 265 were measured."""
THREADS = 24
CALLBACK = "https://app.example.com/back"
# Each was loaded once without need, or soon would be.
NOT_FOR_A_WEB_PROCESS = frozenset(
    [
        "rest_framework.compat",
        "rest_framework.views",
        "drf_spectacular.generators",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "botocore.session",
        "requests",
        "charset_normalizer",
        "authlib.integrations",
        "css_inline",
        "jsonschema",
        "django.test",
        "unittest",
        "jinja2",
        "moto",
        "phonenumbers",
        "pytest",
        "identity.embedded",
        "identity.demo",
        "federation.saml",
        "lxml",
        "signxml",
        "celery.bin",
        "celery.worker.consumer",
    ]
)


class Web:
    """A web process over the live installation's database, as production starts it."""

    def __init__(self, live: Live, sts: Told, folder: Path) -> None:
        """Choose a port, and hide in the folder what production has not."""
        self.live = live
        self.port = servers.free_port()
        self.base_url = f"http://localhost:{self.port}"
        self.settings = {
            **live.settings,
            "BIND": "127.0.0.1",
            "WEB_WORKERS": "1",
            "WEB_THREADS": str(THREADS),
            "BASE_URL": self.base_url,
            "PORT": str(self.port),
            "STS_ENDPOINT_URL": sts.url,
            "WIRE_RESPONSE_CHECKS": "0",
            "PYTHONPATH": servers.hide_what_production_lacks(folder),
        }
        self.part = Part("web", (sys.executable, "-m", "identity.serve", "web"), directory=servers.ROOT)

    def ask(self, path: str, fields: dict[str, str] | None = None, secret: str = "") -> bytes:
        """Ask for a page or of an OAuth endpoint."""
        data = urlencode(fields).encode() if fields else None
        headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
        with urllib.request.urlopen(urllib.request.Request(self.base_url + path, data, headers), timeout=30) as answer:
            body: bytes = answer.read()
        return body

    def is_ready(self) -> bool:
        """Say whether it answers as ready."""
        try:
            return bool(self.ask("/health/ready"))
        except OSError:
            return False

    def boto(self, service: str) -> Any:  # noqa: ANN401 - boto3's own
        """Return a client that asks this process."""
        key_id, secret = self.live.access_key
        return SESSION.client(
            service,
            endpoint_url=self.base_url,
            region_name=self.live.region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )


@pytest.fixture
def web(live: Live, tmp_path: Path) -> Iterator[tuple[Web, int]]:
    """Return a web process, and the id of its one worker."""
    with serving(Told(body=GIVEN, headers={"content-type": "text/xml"})) as sts:
        found = Web(live, sts, tmp_path)
        with (live.logs / "weighed.log").open("wb") as log:
            process = spawn(found.part, found.settings, output=log)
        try:
            until = monotonic() + 60
            while not found.is_ready():
                assert process.poll() is None
                assert monotonic() < until
                sleep(0.1)
            yield found, max(descendants(process.pid)[1:], key=taken)
        finally:
            end(process, found.part)


def descendants(pid: int) -> list[int]:
    """Return a process and all below it."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in below for found in descendants(int(child)))]


def taken(pid: int) -> float:
    """Return what a process takes of the machine's memory, in MiB: all but pages of files as they lie on disk.

    Of those the kernel maps as many as it happens to have, 25 to 36 MiB of one program on one machine, and takes them
    back at will.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


def own(pid: int) -> float:
    """Return what of the resident set no other process has, in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def together(*pids: int) -> float:
    """Return what processes take together, in MiB: of what several have, each takes its share (``man 5 proc``)."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@pytest.fixture
def others(web: tuple[Web, int], tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Return a worker and beat beside the web process, as production starts them, once each has shown life."""
    process, _ = web
    with contextlib.ExitStack() as until_the_end:
        started = []
        for name in ("worker", "beat"):
            (folder := tmp_path / f"of_{name}").mkdir()
            settings = {
                "ALIVE_FILE": str(folder / "alive"),
                "TMPDIR": str(folder),
                # No worker of others hears of what this beat asks for.
                "REDIS_PREFIX": f"weighed:{process.settings['REDIS_PREFIX']}",
            }
            command = (sys.executable, "-m", "identity.serve", name)
            part = Part(name, command, directory=servers.ROOT, environment=settings)
            log = until_the_end.enter_context((folder / "log").open("wb"))
            started.append((folder, spawn(part, process.settings, output=log)))
            until_the_end.callback(end, started[-1][1], part)
        until = monotonic() + 60
        while not all((folder / "alive").exists() for folder, _ in started):
            assert monotonic() < until, [(folder / "log").read_text() for folder, _ in started]
            sleep(0.1)
        (_, worker), (_, beat) = started
        yield worker.pid, beat.pid


def one_of_each(web: Web) -> None:
    """Let a process answer one request of each kind: machines, people, credentials, pages."""
    idp, identity = web.boto("cognito-idp"), web.boto("cognito-identity")
    pool = idp.create_user_pool(PoolName="weighed", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    idp.create_resource_server(
        UserPoolId=pool, Identifier="photos", Name="Photos", Scopes=[{"ScopeName": "read", "ScopeDescription": "Read."}]
    )
    grants = {"AllowedOAuthFlowsUserPoolClient": True, "SupportedIdentityProviders": ["COGNITO"]}
    app = idp.create_user_pool_client(
        UserPoolId=pool,
        ClientName="app",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=[CALLBACK],
        **grants,
    )["UserPoolClient"]["ClientId"]
    machine = idp.create_user_pool_client(
        UserPoolId=pool,
        ClientName="machine",
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["photos/read"],
        **grants,
    )["UserPoolClient"]

    idp.sign_up(
        ClientId=app,
        Username="ada",
        Password="Correct-horse-9",
        UserAttributes=[{"Name": "email", "Value": "ada@example.com"}],
    )
    idp.admin_confirm_sign_up(UserPoolId=pool, Username="ada")
    given = {"USERNAME": "ada", "PASSWORD": "Correct-horse-9"}
    tokens = idp.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)[
        "AuthenticationResult"
    ]
    given = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    idp.initiate_auth(ClientId=app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
    idp.get_user(AccessToken=tokens["AccessToken"])
    secret = f"{machine['ClientId']}:{machine['ClientSecret']}"
    web.ask(f"/{pool}/oauth2/token", {"grant_type": "client_credentials"}, secret)
    web.ask(f"/{pool}/.well-known/openid-configuration")
    web.ask(f"/{pool}/.well-known/jwks.json")

    provider = f"localhost:{web.port}/{pool}"
    identities = identity.create_identity_pool(
        IdentityPoolName="weighed",
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": app}],
    )["IdentityPoolId"]
    role = {"authenticated": "arn:aws:iam::000000000000:role/member"}
    identity.set_identity_pool_roles(IdentityPoolId=identities, Roles=role)
    logins = {provider: tokens["IdToken"]}
    who = identity.get_id(IdentityPoolId=identities, Logins=logins)["IdentityId"]
    credentials = identity.get_credentials_for_identity(IdentityId=who, Logins=logins)["Credentials"]
    assert credentials["AccessKeyId"] == "ASIAKEY"

    asked = {"client_id": app, "response_type": "code", "scope": "openid", "redirect_uri": CALLBACK}
    assert b"<form" in web.ask(f"/{pool}/login?{urlencode(asked)}")


def test_a_web_process_that_has_answered_one_request_of_each_kind_is_small(web: tuple[Web, int]) -> None:
    process, worker = web

    one_of_each(process)

    assert taken(worker) < MOST
    assert own(worker) < OWN


def test_web_worker_and_beat_are_small_together(web: tuple[Web, int], others: tuple[int, int]) -> None:
    process, web_worker = web

    one_of_each(process)

    serving = Path(f"/proc/{web_worker}/status").read_text()
    [parent] = [int(line.split()[1]) for line in serving.splitlines() if line.startswith("PPid:")]
    pids = (parent, web_worker, *others)
    assert together(*pids) < WHOLE, {pid: together(pid) for pid in pids}


def test_beat_does_without_django_and_the_tasks() -> None:
    program = "import sys, identity.beat, celery.apps.beat; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=servers.ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert "identity.broker" in loaded
    assert sorted({"django.apps", "identity.settings", "psycopg", "pydantic", "pools"} & loaded) == []


def test_a_web_process_does_without_what_only_others_need() -> None:
    program = """
import json, sys
import granian.cli
from identity import serve

def serves(*given, **named):
    from django import forms
    from django.template.loader import get_template
    from django.urls import get_resolver
    get_resolver("identity.pool_urls").reverse_dict
    get_template("hosted/sign_in.html")
    str(forms.CharField().get_bound_field(forms.Form(), "name"))
    json.dump(sorted(sys.modules), sys.stdout)

granian.cli.cli = serves
sys.exit(serve.main(["web", serve.SIZED]))
"""
    settings = {**os.environ, "DEMO": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=servers.ROOT, env=settings, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))

    assert "identity.console.urls" in loaded
    assert sorted(NOT_FOR_A_WEB_PROCESS & loaded) == []
