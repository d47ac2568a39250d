"""A mail server that is slow with invitations keeps no code back: each lane has threads of its own."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep

import pytest

from identity.foundation import connections
from tests.run import smtp_server
from tests.run.installation import Installation, lived_in, running
from tests.run.smtp_server import SmtpServer
from tests.run.test_kill import PASSWORD, client_of, keys

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]
__all__ = ["keys"]
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
def installation(mail: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    by_smtp = {
        "MESSAGES": "smtp",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail.server_address[1]),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "no-reply@example.com",
    }
    with running(lived_in(tmp_path_factory.mktemp("lanes") / "var"), DEMO="0", **by_smtp) as started:
        yield started


def test_a_code_passes_invitations_that_are_held(
    installation: Installation, keys: dict[str, str], mail: SmtpServer
) -> None:
    admin, visitor = client_of(installation, keys), client_of(installation, keys, signed=False)
    for number in range(INVITED):
        admin.admin_create_user(UserPoolId=keys["pool"], Username=f"invited{number}@example.com")
    until = monotonic() + 20
    while not mail.held:
        assert monotonic() < until, installation.said()[-4000:]
        sleep(0.05)
    sleep(SWEPT)
    # At most a quarter of the worker's eight threads, and those of one sweep.
    assert len(mail.held) <= 8 // 4 + connections.SWEEPERS

    asked = monotonic()
    visitor.sign_up(ClientId=keys["client"], Username="ada@example.com", Password=PASSWORD)
    mail.mail_to("ada@example.com")

    assert monotonic() - asked < 3.5
    assert not [sent for sent in mail.mail if sent["To"].startswith("invited")]

    mail.go.set()
    for number in range(INVITED):
        mail.mail_to(f"invited{number}@example.com")
