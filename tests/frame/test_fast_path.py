"""Machine endpoints answer the same bytes by the fast path and by Django's; what is unusual takes Django's alone."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db import connections as django_connections
from django.test.utils import CaptureQueriesContext

from identity import fast_path, wsgi
from identity.foundation import connections
from pools.models import AppClient, User
from pools.services import configuration
from pools.services.pools import pool_domains, signing_keys
from pools.services.sign_in.machine import EndsIn, SignedIn
from pools.services.tokens import authorization_codes, sessions
from pools.services.tokens.bound import Bound
from tests import factories

WIRE = {"CONTENT_TYPE": "application/x-amz-json-1.1"}
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
RANDOM = {"x-amzn-requestid", "date"}


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    method: str = "GET"
    body: bytes = b""
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def environ(self) -> dict[str, Any]:
        """Return it as WSGI has it."""
        host = settings.BASE_URL.split("://")[1]
        return {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": host,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **dict(self.headers),
        }


def by(application: Any, asked: Asked) -> tuple[str, dict[str, str], bytes]:  # noqa: ANN401 - WSGI's
    """Return status, headers and body."""
    began: list[tuple[str, dict[str, str]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        assert len({name.lower() for name, _ in headers}) == len(headers)
        began.append((status, {name.lower(): value for name, value in headers if name.lower() not in RANDOM}))

    answer = application(asked.environ(), start)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return (*began[0], body)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    configuration.cache.forget_everything()


@pytest.fixture
def client(transactional_db: None) -> AppClient:
    signing_keys.ensure_installation_keys()
    pool = factories.make_pool()
    return factories.make_client(
        pool,
        generate_secret=True,
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid", "email"],
        callback_urls=["https://app.example/cb"],
    )


@pytest.fixture
def person(client: AppClient) -> User:
    return factories.make_user(client.pool, "alice", email="alice@example.com")


def issued(client: AppClient) -> str:
    """Return an access token with the scope openid."""
    outcome = factories.begin(
        client, username="alice", password=factories.PASSWORD, ends_in=EndsIn.BROWSER, by=factories.BY
    )
    assert isinstance(outcome, SignedIn)
    assert outcome.opened_session
    session = sessions.signed_in_session(client.pool, outcome.opened_session.cookie)
    assert session
    bound = Bound(("openid", "email"), oauth=True)
    code = authorization_codes.issue_code(client, session, redirect_uri="https://app.example/cb", bound=bound)
    issued = authorization_codes.redeem(
        client, code, redirect_uri="https://app.example/cb", verifier=None, by=factories.BY
    )
    return issued.access


def wire(operation: str, given: object, **headers: str) -> Asked:
    """Return a call of the wire API."""
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    target = {"HTTP_X_AMZ_TARGET": f"AWSCognitoIdentityProviderService.{operation}"}
    return Asked("/", "POST", body, headers=tuple({**WIRE, **target, **headers}.items()))


def requests_of(client: AppClient, access_token: str) -> list[Asked]:
    """Return requests whose answers do not depend on chance."""
    pool = f"/{client.pool.public_id}"
    basic = base64.b64encode(f"{client.client_id}:wrong".encode()).decode()
    form = tuple(FORM.items())
    bearer = (("HTTP_AUTHORIZATION", f"Bearer {access_token}"),)
    return [
        wire("GetUser", {"AccessToken": access_token}),
        wire("GetUser", {"AccessToken": "x"}),
        wire("GetUser", {}),
        wire("GetUser", b"{"),
        wire("GetUser", b"\xff\xfe"),
        wire("GetUser", {"AccessToken": "x"}, HTTP_X_FORWARDED_FOR="203.0.113.1"),
        wire("NoSuchOperation", {}),
        wire("ListUsers", {"UserPoolId": client.pool.public_id}),
        Asked("/", "POST", b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1), headers=tuple(WIRE.items())),
        Asked("/", "OPTIONS", headers=(("HTTP_ORIGIN", "https://app.example"),)),
        Asked("/", "GET"),
        Asked("/", "PUT", b"x"),
        Asked(f"{pool}/.well-known/jwks.json"),
        Asked(f"{pool}/.well-known/jwks.json", "HEAD"),
        Asked(f"{pool}/.well-known/jwks.json", "POST", b"x"),
        Asked(f"{pool}/.well-known/openid-configuration", query="x=1"),
        Asked("/us-east-1_nobody/.well-known/openid-configuration"),
        Asked("/identity-pools/jwks.json"),
        Asked(f"{pool}/oauth2/userInfo", headers=bearer),
        Asked(f"{pool}/oauth2/userInfo", "POST", headers=bearer),
        Asked(f"{pool}/oauth2/userInfo", "HEAD", headers=bearer),
        Asked(f"{pool}/oauth2/userInfo", headers=(("HTTP_AUTHORIZATION", "Bearer x"),)),
        Asked(f"{pool}/oauth2/userInfo"),
        Asked(f"{pool}/oauth2/userInfo", "DELETE"),
        Asked(f"{pool}/oauth2/token", "POST", b"grant_type=client_credentials", headers=form),
        Asked(f"{pool}/oauth2/token", "POST", b"grant_type=x&grant_type=y", headers=form),
        Asked(f"{pool}/oauth2/token", "POST", b"\xff=%ff", headers=form),
        Asked(
            f"{pool}/oauth2/token", "POST", b"grant_type=x", headers=(*form, ("HTTP_AUTHORIZATION", f"Basic {basic}"))
        ),
        Asked(f"{pool}/oauth2/token", "POST", b"{}", headers=tuple(WIRE.items())),
        Asked(f"{pool}/oauth2/token", "POST", b"", query="grant_type=x", headers=form),
        Asked(f"{pool}/oauth2/token", "POST", b"client_id=x", query="client_id=x&grant_type=y", headers=form),
        Asked(f"{pool}/oauth2/token", "GET"),
        Asked(f"{pool}/oauth2/token", "OPTIONS", headers=(("HTTP_ORIGIN", "https://app.example"),)),
    ]


def test_both_roads_answer_the_same_bytes(client: AppClient, person: User) -> None:
    for asked in requests_of(client, issued(client)):
        assert fast_path.find(asked.environ()) is not None, asked
        assert by(wsgi.application, asked) == by(wsgi.django, asked), asked


def test_a_pools_own_host_answers_the_same_bytes_by_both_roads(client: AppClient, person: User) -> None:
    pool_domains.set_prefix(client.pool, f"crew{client.pool.pk}", by=factories.BY)
    port = settings.BASE_URL.rpartition(":")[2]
    host = ("HTTP_HOST", f"crew{client.pool.pk}.auth.localhost:{port}")
    bearer = ("HTTP_AUTHORIZATION", f"Bearer {issued(client)}")
    form = tuple(FORM.items())

    for asked in (
        Asked("/oauth2/userInfo", headers=(host, bearer)),
        Asked("/oauth2/userInfo", headers=(host,)),
        Asked("/oauth2/token", "POST", b"grant_type=x&client_id=y", headers=(host, *form)),
        Asked("/.well-known/jwks.json", headers=(host,)),
        Asked("/.well-known/openid-configuration", headers=(host,)),
    ):
        found = fast_path.find(asked.environ())
        assert found is not None, asked
        assert found[2] == client.pool.public_id
        assert by(wsgi.application, asked) == by(wsgi.django, asked), asked
    for path in ("/", "/login", f"/{client.pool.public_id}/oauth2/token", "/identity-pools/jwks.json"):
        assert fast_path.find(Asked(path, headers=(host,)).environ()) is None


def test_a_host_that_cannot_be_looked_up_takes_djangos_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise OperationalError

    monkeypatch.setattr(configuration, "pool_by_host", away)

    assert fast_path.find(Asked("/oauth2/token", headers=(("HTTP_HOST", "id.example.com"),)).environ()) is None


@pytest.mark.parametrize("path", ["/oauth2/token", "/login"])
def test_an_unknown_host_is_looked_up_once(path: str, transactional_db: None) -> None:
    asked = Asked(path, headers=(("HTTP_HOST", "evil.example"),))

    with CaptureQueriesContext(connection) as seen:
        status, _, _ = by(wsgi.application, asked)

    assert status == "404 Not Found"
    assert sum("pool_domain" in query["sql"] for query in seen) == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"HTTP_HOST": "evil.example"}),
        ("/oauth2/token", {"HTTP_HOST": "evil.example"}),
        ("/", {"HTTP_HOST": ""}),
        ("/", {"SCRIPT_NAME": "/x"}),
        ("//", {}),
        ("/us-east-1_x/login", {}),
        ("/us-east-1_x/oauth2/authorize", {}),
        ("/us-east-1_x/oauth2/token/", {}),
        ("/us-east-1_x//oauth2/token", {}),
        ("/us-east-1_\xe9/oauth2/token", {}),
        ("/console/", {}),
        ("/identity-pools/jwks.json/", {}),
    ],
)
def test_what_is_not_exactly_one_of_the_paths_takes_djangos_path(path: str, headers: dict[str, str], db: None) -> None:
    assert fast_path.find({**Asked(path).environ(), **headers}) is None


def test_a_header_has_one_name_in_lower_case() -> None:
    unsent = {"CONTENT_TYPE": "", "CONTENT_LENGTH": "0", "HTTP_X_AMZ_TARGET": "one", "HTTP_EMPTY": "", "PATH_INFO": "/"}
    headers = fast_path.Headers(unsent)

    assert dict(headers) == {"content-length": "0", "x-amz-target": "one", "empty": ""}
    assert len(headers) == 3
    for name in ("content-type", "X-Amz-Target", "x_amz_target", "path-info", "PATH_INFO", ""):
        assert name not in headers


def test_there_are_six_paths() -> None:
    assert len(fast_path.INSTALLATION_ENDPOINTS) + len(fast_path.OF_A_POOL) == 6


@pytest.mark.parametrize(("failed_since", "questions"), [(False, 0), (True, 1)])
def test_a_connection_that_just_worked_is_asked_whether_it_lives_only_after_a_failure(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch, failed_since: bool, questions: int
) -> None:
    bearer = (("HTTP_AUTHORIZATION", f"Bearer {issued(client)}"),)
    asked = Asked(f"/{client.pool.public_id}/oauth2/userInfo", headers=bearer)
    monkeypatch.setattr(connections, "TRUSTED", 3600)  # however busy the machine
    for _ in range(3):
        assert by(wsgi.application, asked)[0] == "200 OK"
    seen = []
    wrapper = type(django_connections["default"])
    is_usable = wrapper.is_usable

    def ask(self: Any) -> bool:  # noqa: ANN401 - Django's connection
        seen.append(self)
        return bool(is_usable(self))

    monkeypatch.setattr(wrapper, "is_usable", ask)
    if failed_since:
        monkeypatch.setattr(connections, "_failed_at", float("inf"))

    assert by(wsgi.application, asked)[0] == "200 OK"

    assert len(seen) == questions
