"""Strangers in bursts and mails leave connections where they were, and readiness asks for one of its own."""

from __future__ import annotations

import json
import os
import sys
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

from identity.embedded.parts import Part
from identity.embedded.processes import end, spawn
from identity.foundation.connections import IMPORT_SWEEPERS, SWEPT_LANES
from tests import servers
from tests.live import Live

CROWD = 60
BURSTS = 5
PATIENCE = 10
MAILS = 16
THREADS = 24
"""Of a live web process."""
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


def held(name: str = NAME) -> int:
    """Return how many connections a process holds: the one that serves the bursts."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    with psycopg.connect(servers.postgres().url("postgres"), autocommit=True) as connection:
        row = connection.execute(asked, [name]).fetchone()
    assert row
    return int(row[0])


def kept(name: str = NAME, most: int = KEPT, seconds: float = 2.5) -> int:
    """Return how many it keeps, once the server has noticed who left."""
    until = monotonic() + seconds
    while (found := held(name)) > most and monotonic() < until:
        sleep(0.05)
    return found


def threads(pid: int) -> int:
    """Return how many threads a process and its children have."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return len(list(Path(f"/proc/{pid}/task").iterdir())) + sum(threads(int(child)) for child in children)


def burst(live: Live, url: str, client_id: str, number: int) -> tuple[set[int], int, int]:
    """Have a crowd come and let its threads end; return the statuses, how many connections were made, and stay."""
    pid = live.processes["web2"].pid
    before = threads(pid)
    with ThreadPoolExecutor(CROWD) as crowd:
        statuses = Counter(crowd.map(lambda each: wire(url, client_id, f"nobody-{number}-{each}"), range(CROWD)))
    assert threads(pid) > before, "nobody had to wait"
    peak = held()
    until = monotonic() + PATIENCE
    while threads(pid) > before:
        assert monotonic() < until, "threads that are idle do not end"
        sleep(0.05)
    return set(statuses), peak, kept()


@pytest.mark.parametrize("application", ["identity.wsgi:application", "tests.brisk:leaking"])
def test_bursts_of_strangers_with_pauses_leave_the_connections_where_they_were(
    application: str, live: Live, client_id: str
) -> None:
    with live.second_web(server="tests.brisk", application=application, PGAPPNAME=NAME) as url:
        told = [burst(live, url, client_id, number) for number in range(BURSTS if "wsgi" in application else 1)]

    statuses = set().union(*(each for each, _, _ in told))
    assert statuses <= {400, 429}, told
    bounded = all(KEPT < peak <= THREADS and stay <= KEPT for _, peak, stay in told)
    assert bounded is (application != "tests.brisk:leaking"), told


def test_a_worker_that_has_nothing_to_do_keeps_a_connection_for_each_of_its_sweeps(live: Live) -> None:
    boto = live.boto(max_pool_connections=MAILS)
    pool_id = boto.create_user_pool(PoolName="mails", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])[
        "UserPool"
    ]["Id"]

    def invite(number: int) -> None:
        address = f"{pool_id}-{number}@example.com".lower()
        boto.admin_create_user(UserPoolId=pool_id, Username=address, DesiredDeliveryMediums=["EMAIL"])
        live.message(address)

    with ThreadPoolExecutor(MAILS) as crowd:
        list(crowd.map(invite, range(MAILS)))

    sweeps = SWEPT_LANES + IMPORT_SWEEPERS
    assert 0 < kept(f"worker_{servers.WORKER}", sweeps) <= sweeps


def test_beat_asks_for_its_tasks_and_holds_no_connection(live: Live, tmp_path: Path) -> None:
    alive, name = tmp_path / "alive", f"beat_{servers.WORKER}"
    part = Part(
        "beat",
        (sys.executable, "-m", "identity.serve", "beat"),
        directory=servers.ROOT,
        environment={
            "ALIVE_FILE": str(alive),
            "PGAPPNAME": name,
            "TMPDIR": str(tmp_path),
            # No worker hears of what this one asks for.
            "REDIS_PREFIX": f"{name}:",
        },
    )
    with (tmp_path / "log").open("wb") as log:
        process = spawn(part, live.settings, output=log)
    try:
        until = monotonic() + 30
        while not alive.exists():
            assert monotonic() < until, (tmp_path / "log").read_text()
            assert process.poll() is None, (tmp_path / "log").read_text()
            sleep(0.05)
        assert kept(name, 0) == 0
    finally:
        end(process, part)


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
