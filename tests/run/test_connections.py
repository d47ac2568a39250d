"""Strangers in bursts leave PostgreSQL's connections where they were, and readiness asks for one of its own."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests import servers
from tests.live import Live

CROWD = 60
BURSTS = 5
PATIENCE = 10
KEPT = 1
"""Connections, of the one thread that granian never ends."""
NAME = f"bursts_{servers.WORKER}"


@pytest.fixture(scope="module")
def client_id(live: Live) -> str:
    boto = live.boto()
    pool_id = boto.create_user_pool(PoolName="bursts")["UserPool"]["Id"]
    made = boto.create_user_pool_client(
        UserPoolId=pool_id, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    return str(made["UserPoolClient"]["ClientId"])


def wire(url: str, client_id: str, username: str) -> int:
    """Sign an unknown name in; return the status."""
    body = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": client_id,
        "AuthParameters": {"USERNAME": username, "PASSWORD": "Wrong-horse-9"},
    }
    headers = {
        "host": urlsplit(os.environ["BASE_URL"]).netloc,
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def held() -> int:
    """Return how many connections the process that serves the bursts holds, once the server has noticed who left."""
    until = monotonic() + 1
    with psycopg.connect(servers.postgres().url("postgres"), autocommit=True) as connection:
        while True:
            rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [NAME]).fetchall()
            if len(rows) <= KEPT or monotonic() > until:
                return len(rows)


def threads(pid: int) -> int:
    """Return how many threads a process and its children have."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return len(list(Path(f"/proc/{pid}/task").iterdir())) + sum(threads(int(child)) for child in children)


def burst(live: Live, url: str, client_id: str, number: int) -> tuple[set[int], int]:
    """Have a crowd come at once and let its threads end; return the statuses, and how many connections stay."""
    pid = live.processes["web2"].pid
    before = threads(pid)
    with ThreadPoolExecutor(CROWD) as crowd:
        statuses = Counter(crowd.map(lambda each: wire(url, client_id, f"nobody-{number}-{each}"), range(CROWD)))
    until = monotonic() + PATIENCE
    assert threads(pid) > before, "nobody had to wait"
    while threads(pid) > before:
        assert monotonic() < until, "threads that are idle do not end"
        sleep(0.05)
    return set(statuses), held()


@pytest.mark.parametrize("application", ["identity.wsgi:application", "tests.brisk:leaking"])
def test_bursts_of_strangers_with_pauses_leave_the_connections_where_they_were(
    application: str, live: Live, client_id: str
) -> None:
    with live.second_web(server="tests.brisk", application=application, PGAPPNAME=NAME) as url:
        told = [burst(live, url, client_id, number) for number in range(BURSTS if "wsgi" in application else 1)]

    assert all(statuses <= {400, 429} for statuses, _ in told), told
    assert all(after <= KEPT for _, after in told) is (application != "tests.brisk:leaking"), told


def test_a_process_that_can_have_no_new_connection_is_not_ready(live: Live) -> None:
    role = sql.Identifier(f"web_{servers.WORKER}")
    assert live.is_ready()  # by a thread that holds a connection from now on

    with psycopg.connect(servers.postgres().url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(role))
        try:
            was_ready = live.is_ready()
        finally:
            connection.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(role))

    assert not was_ready
    assert live.is_ready()
