"""With the database away each address answers in its own protocol's form, asks for patience, and logs one line."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.test import Client
from django.urls import reverse

from identity.foundation import server_urls
from identity.foundation.connections import described
from identity.models import Operator
from pools import tasks
from pools.models import AppClient
from pools.services import configuration
from pools.services.pools import pool_domains
from pools.services.tokens import sessions
from tests import factories
from tests.architecture.test_addresses import INSTALLATION, POOL

HOST = settings.BASE_URL.split("://")[1]
CALLBACK = "https://app.example/callback"
WIRE = {"x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth"}
SAYS = {"text/html": b"<h1>Not available just now</h1>", "application/json": b"temporarily_unavailable"}
ONCE_A_SECOND = "configuration_poll_failed"


@pytest.fixture
def client(transactional_db: None) -> Iterator[AppClient]:
    pool = factories.make_pool()
    made = factories.make_client(
        pool,
        callback_urls=[CALLBACK],
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid"],
    )
    pool_domains.set_prefix(pool, f"crew{pool.pk}", by=factories.BY)
    configuration.cache.forget_everything()
    yield made
    configuration.cache.poll(force=True)  # or this process is not ready for the tests that follow


@contextmanager
def away() -> Iterator[None]:
    """Take the database away from this thread."""
    true = connections["default"]
    connections["default"] = type(true)({**true.settings_dict, "HOST": "/nowhere"}, "default")
    try:
        yield
    finally:
        connections["default"] = true


@contextmanager
def silent(seconds: int) -> Iterator[Any]:
    """Have the database keep this thread's connection and say nothing by it; it is waited for so long."""
    true = connections["default"]
    true.close()
    made = type(true)({**true.settings_dict, "SILENT_SECONDS": seconds}, "default")
    connections["default"] = made
    with made.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    os.kill(backend, signal.SIGSTOP)
    try:
        yield made
    finally:
        os.kill(backend, signal.SIGCONT)
        made.close()
        connections["default"] = true


@pytest.fixture
def visitor(client: AppClient) -> Client:
    """Return a browser with cookies of a person and of an operator, whose sessions only the database knows."""
    made = Client(raise_request_exception=False, headers={"host": HOST})
    made.cookies[sessions.cookie_name(client.pool, False)] = "a" * 64
    made.cookies[settings.SESSION_COOKIE_NAME] = "b" * 32
    return made


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged of requests, and forget it."""
    found = [each for each in caplog.records if ONCE_A_SECOND not in str(each.msg) and each.levelno > logging.INFO]
    caplog.clear()
    return found


def said(answer: Any) -> bytes:  # noqa: ANN401 - what the test client gives
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


@pytest.mark.parametrize("held", [True, False])
def test_every_address_of_a_pool_says_so_in_its_own_form(
    held: bool, client: AppClient, visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    if held:
        configuration.client(client.client_id)
    seen: dict[str, set[int]] = {}
    query = urlencode({"client_id": client.client_id, "redirect_uri": CALLBACK, "response_type": "code"})

    with away():
        for path in POOL:
            for ask in (visitor.get, visitor.post):
                caplog.clear()
                answer = ask(f"/{client.pool.public_id}{path}?{query}")
                seen.setdefault(path, set()).add(answer.status_code)
                logged = lines(caplog)
                assert answer.status_code < 500 or answer.status_code == 503, (path, said(answer))
                assert not any(each.exc_info for each in logged), path
                if answer.status_code == 503:
                    assert SAYS[answer["Content-Type"].partition(";")[0]] in said(answer), path
                    assert answer["Retry-After"] == "1"
                    assert answer["X-Content-Type-Options"] == "nosniff"
                    assert len(logged) == 1, (path, logged)

    refusing = {path for path, statuses in seen.items() if 503 in statuses}
    assert refusing >= {"/account"} if held else refusing >= {"/login", "/signup", "/logout", "/.well-known/jwks.json"}


def test_every_address_of_the_installation_says_so_in_its_own_form(
    visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    seen: dict[str, set[int]] = {}

    with away():
        for path in INSTALLATION:
            for ask in (visitor.get, visitor.post):
                caplog.clear()
                answer = ask(path)
                seen.setdefault(path, set()).add(answer.status_code)
                logged = lines(caplog)
                assert answer.status_code < 500 or answer.status_code == 503, (path, said(answer))
                assert not any(each.exc_info for each in logged), path
                if answer.status_code == 503 and path != "/health/ready":
                    assert answer["Retry-After"] == "1", path
                    assert len(logged) == 1, (path, logged)
                    if answer["Content-Type"].startswith("text/html"):
                        assert SAYS["text/html"] in said(answer), path

    refusing = {path for path, statuses in seen.items() if 503 in statuses}
    assert refusing >= {"/console/pools", "/api/v1/pools", "/dev/messages", "/identity-pools/jwks.json"}
    assert seen["/health/live"] == {200}
    assert 503 in seen["/health/ready"]


def test_the_pools_own_host_says_so_too(client: AppClient, visitor: Client, caplog: pytest.LogCaptureFixture) -> None:
    name, _, port = HOST.partition(":")
    with away():
        caplog.clear()
        answer = visitor.get("/login", headers={"host": f"crew{client.pool.pk}.auth.{name}:{port}"})

    assert answer.status_code == 503
    assert SAYS["text/html"] in answer.content
    assert answer["X-Amzn-RequestId"].encode() in answer.content
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert [each.exc_info for each in lines(caplog)] == [None]


def test_the_management_api_says_so_as_a_problem(visitor: Client) -> None:
    with away():
        answer = visitor.get("/api/v1/pools")

    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_the_wire_says_what_amazon_says_of_a_failure_of_its_own(
    client: AppClient, visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    body = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": client.client_id,
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": "x"},
    }
    with away():
        caplog.clear()
        answer = visitor.post("/", json.dumps(body), content_type="application/x-amz-json-1.1", headers=WIRE)

    assert (answer.status_code, json.loads(answer.content)["__type"]) == (500, "InternalErrorException")
    assert [(each.exc_info, "wire_unavailable" in str(each.msg)) for each in lines(caplog)] == [(None, True)]


@pytest.mark.parametrize("prompt", ["", "none"])
def test_an_application_whose_address_is_known_is_told_by_redirect(
    prompt: str, client: AppClient, visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {"client_id": client.client_id, "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}
    url = f"/{client.pool.public_id}{reverse('oidc:authorize', urlconf=settings.POOL_URLCONF)}?"
    configuration.client(client.client_id)

    with away():
        caplog.clear()
        told = visitor.get(url + urlencode(asked | ({"prompt": prompt} if prompt else {})))
        logged = lines(caplog)
        stranger = visitor.get(url + urlencode(asked | {"redirect_uri": "https://evil.example/"}))
        configuration.cache.forget_everything()
        unknown = visitor.get(url + urlencode(asked))

    where = urlsplit(told["Location"])
    assert told["Location"].startswith(f"{CALLBACK}?")
    found = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert (found["error"], found["state"]) == ("temporarily_unavailable", "s")
    assert [each.exc_info for each in logged] == [None]
    assert "evil.example" not in stranger["Location"]
    assert (unknown.status_code, "Location" in unknown) == (503, False)


def test_a_form_is_not_offered_to_be_sent_again_by_a_link(visitor: Client) -> None:
    operator = Operator.objects.create(username="ada")
    visitor.force_login(operator)

    with away():
        page, form = visitor.get("/console/pools?q=a&b"), visitor.post("/console/pools/x/users?q=1")

    assert b'href="/console/pools?q=a&amp;b"' in page.content
    assert b'href="/console/pools"' in form.content


@pytest.mark.parametrize("task", ["sweep_outbox", "purge", "make_partitions", "rotate_due_keys", "reseal"])
def test_a_periodic_task_says_so_in_one_line_and_comes_again(
    task: str, transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with away():
        caplog.clear()
        assert getattr(tasks, task)() is None

    assert [(each.exc_info, "task_unavailable" in str(each.msg)) for each in lines(caplog)] == [(None, True)]


def test_what_ended_a_statement_is_reported_with_the_statement(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1")
        with pytest.raises(OperationalError) as slow:
            cursor.execute("SELECT pg_sleep(1)")
    connection.close()
    with away(), pytest.raises(OperationalError) as gone:
        connection.ensure_connection()

    assert described(slow.value)["exc_info"] is slow.value
    assert "exc_info" not in described(gone.value)
    assert "\n" not in described(gone.value)["problem"]


def test_readiness_says_so_in_one_line_and_asks_nothing_else(visitor: Client, caplog: pytest.LogCaptureFixture) -> None:
    with away():
        caplog.clear()
        answer = visitor.get("/health/ready")

    told = dict.fromkeys(answer.json()["probes"], "waits for the database")
    assert answer.status_code == 503
    assert answer.json()["probes"] == told | {"database": "the database does not answer"}
    assert [each.levelname for each in caplog.records if each.levelno > logging.INFO] == ["WARNING"]


def test_a_database_that_says_nothing_is_given_up_and_asked_anew(
    client: AppClient, visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with silent(1) as held:
        caplog.clear()
        began = time.monotonic()
        answer = visitor.get(f"/{client.pool.public_id}/login?client_id={client.client_id}")
        took = time.monotonic() - began
        logged = lines(caplog)
        is_closed = held.connection is None or held.connection.closed
        held.close()
        again = visitor.get(f"/{client.pool.public_id}/.well-known/jwks.json")

    assert 1 <= took < 5
    assert (answer.status_code, answer["Retry-After"], is_closed) == (503, "1", True)
    assert SAYS["text/html"] in answer.content
    assert [each.exc_info for each in logged] == [None]
    assert again.status_code == 200


def test_a_connection_misses_a_server_that_is_gone(transactional_db: None) -> None:
    connection.ensure_connection()

    told = connection.connection.info.get_parameters()

    assert {name: told.get(name) for name in server_urls.WATCHED} == {
        name: str(value) for name, value in server_urls.WATCHED.items()
    }
    assert connection.connection.silent_seconds == 35
