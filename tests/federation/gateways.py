"""What receives the mail and the SMS of tests: moto's SES and SNS, and servers that answer as a test wants.

moto has no End User Messaging SMS: a server that speaks its protocol receives what is sent by it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from federation.channels import assumed_roles
from identity.foundation import aws_clients, clock, destinations
from pools import ports
from pools.models import AppClient, OutboxMessage, UserPool
from pools.services.messages import deliveries
from pools.services.sign_up import sign_up
from tests import factories
from tests.federation.servers import Told, serving

State = OutboxMessage.State
KEPT, AGAIN, FAILED, SENT = "kept", "again", "failed", "sent"
KEYS = ("AKIDOWN", "own-secret")
ROLE, EXTERNAL_ID = "arn:aws:iam::123456789012:role/texts", "their word"
IDENTITY = "arn:aws:ses:eu-west-1:123456789012:identity/"
SENT_MAIL = json.dumps({"MessageId": "mail-1"}).encode()
SENT_TEXT = b"""<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
<MessageId>text-1</MessageId></PublishResult></PublishResponse>"""
XML = {"content-type": "text/xml"}
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA%s</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
SIGNED = re.compile(r"Credential=(\w+)/\d+/([\w-]+)/([\w-]+)/")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the address of a moto."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Give the installation keys, and a process that has asked nobody yet."""
    settings.MESSAGES_KEYS = KEYS
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    destinations.permits.cache_clear()
    aws_clients._client.cache_clear()
    for channel in ("sns", "eums"):
        monkeypatch.setattr(ports.channels[channel], "roles", assumed_roles.Roles())
    yield settings
    destinations.permits.cache_clear()
    aws_clients._client.cache_clear()


@pytest.fixture
def sts(aws: Settings) -> Iterator[Told]:
    """Return an STS that lets us assume any role for an hour."""
    with serving(Told(body=assumed("ONE", timedelta(hours=1)), headers=XML)) as told:
        aws.SNS_STS_ENDPOINT_URL = told.url
        yield told


def assumed(name: str, life: timedelta) -> bytes:
    """Return an STS's answer: credentials of that name, for so long."""
    return (ASSUMED % (name, (clock.now() + life).isoformat())).encode()


def waiting(channel: str, **settings: Any) -> OutboxMessage:
    """Return a code that waits in the outbox, of a new pool with these settings."""
    attribute = {"email": "email", "sms": "phone_number"}[channel]
    given = {"username_attributes": [attribute], "auto_verified_attributes": [attribute], **settings}
    client = factories.make_client(factories.make_pool(**given))
    return code_of(client, channel)


def code_of(client: AppClient, channel: str) -> OutboxMessage:
    """Sign somebody up; return the message with the code."""
    name = {"email": f"ann{factories.number()}@example.com", "sms": f"+43664{clock.epoch() % 10**4:04}{_next():03}"}
    sign_up.sign_up(client, name[channel], password=factories.PASSWORD, attributes={}, by=factories.BY)
    return OutboxMessage.objects.filter(pool_id=client.pool_id).latest("id")


_numbers = iter(range(1000))


def _next() -> int:
    return next(_numbers)


def outcome(row: OutboxMessage) -> tuple[str, str]:
    """Deliver a message as if it were new; return what became of it, and what is kept of the reason."""
    OutboxMessage.objects.filter(id=row.id).update(
        state=State.PENDING, attempts=0, due_at=Now(), sealed=row.sealed, problem=""
    )
    destinations.permits.cache_clear()  # no breaker that the last answer opened
    state = deliveries.deliver(row.id)
    after = OutboxMessage.objects.get(id=row.id)
    if state == State.PENDING:
        assert after.sealed
        assert timedelta(0) < after.due_at - clock.now()
        return (AGAIN if after.attempts else KEPT), after.problem
    return str(state), after.problem


def later(row: OutboxMessage) -> State | None:
    """Deliver a message again when it is due again."""
    OutboxMessage.objects.filter(id=row.id).update(due_at=Now())
    destinations.permits.cache_clear()
    return deliveries.deliver(row.id)


def pool_of(row: OutboxMessage) -> UserPool:
    """Return a message's pool."""
    return UserPool.objects.get(pk=row.pool_id)


def signed(heading: dict[str, str]) -> tuple[str, str, str]:
    """Return key id, region and service of a signature."""
    found = SIGNED.search(heading["authorization"])
    assert found
    return (found[1], found[2], found[3])
