"""A mail server that is slow with invitations keeps no code back: each lane has threads of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic, sleep

import pytest

from identity.foundation import connections
from tests.live import Live
from tests.run import smtp_server
from tests.run.smtp_server import SmtpServer

pytestmark = pytest.mark.timeout(240)
PASSWORD = "Correct-horse-9"
INVITED = 24
"""More than a worker has threads, its sweeps' included."""
SWEPT = 3
"""Seconds in which the sweeps have come by."""


@pytest.fixture(scope="module")
def mail() -> Iterator[SmtpServer]:
    with smtp_server.running() as server:
        server.slow = "invited"
        yield server
        server.go.set()


@pytest.fixture(scope="module")
def sending(live: Live, mail: SmtpServer) -> Iterator[Live]:
    """Have the worker send mail there."""
    worker = live.parts["worker"]
    by_smtp = {
        "MESSAGES": "smtp",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail.server_address[1]),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "no-reply@example.com",
    }
    live.parts["worker"] = replace(worker, environment={**worker.environment, **by_smtp})
    live.restart("worker")
    yield live
    mail.go.set()
    live.parts["worker"] = worker
    live.restart("worker")


def test_a_code_passes_invitations_that_are_held(sending: Live, mail: SmtpServer) -> None:
    admin, visitor = sending.boto(), sending.boto(signed=False)
    mailed = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}
    pool = admin.create_user_pool(PoolName="crowd", **mailed)["UserPool"]["Id"]
    client = admin.create_user_pool_client(UserPoolId=pool, ClientName="crowd")["UserPoolClient"]["ClientId"]
    for number in range(INVITED):
        admin.admin_create_user(UserPoolId=pool, Username=f"invited{number}@example.com")
    until = monotonic() + 20
    while not mail.held:
        assert monotonic() < until, sending.log("worker")[-4000:]
        sleep(0.05)
    sleep(SWEPT)
    # At most a quarter of the worker's eight threads, and those of one sweep.
    assert len(mail.held) <= 8 // 4 + connections.SWEEPERS

    asked = monotonic()
    visitor.sign_up(ClientId=client, Username="ada@example.com", Password=PASSWORD)
    mail.mail_to("ada@example.com")

    assert monotonic() - asked < 3.5
    assert not [sent for sent in mail.mail if sent["To"].startswith("invited")]

    mail.go.set()
    for number in range(INVITED):
        mail.mail_to(f"invited{number}@example.com")
