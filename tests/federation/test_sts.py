"""What an STS says, and what that means to whoever asked."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
import structlog
from botocore.awsrequest import AWSPreparedRequest
from pytest_django.fixtures import Settings

from federation.sts import SecurityTokenService
from identity.foundation import destinations, outbound
from identity.foundation.errors import DomainError, OutsideUnavailable, Overloaded, RoleRefused
from pools.ports import Credentials, TokenTooOld
from tests.federation.servers import Told, serving

GIVEN = b"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAKEY</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>session</SessionToken><Expiration>2027-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
AMAZON = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code>
<Message>%s</Message></Error><RequestId>x</RequestId></ErrorResponse>"""
CEPH = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><RequestId>x</RequestId></Error>"


@pytest.fixture
def sts(settings: Settings) -> Iterator[Told]:
    """Return an STS that gives credentials until told otherwise."""
    destinations.permits.cache_clear()
    with serving(Told(body=GIVEN, headers={"content-type": "text/xml"})) as told:
        settings.STS_ENDPOINT_URL = told.url
        yield told
    destinations.permits.cache_clear()


def ask(policy: str | None = None) -> Credentials:
    """Ask for credentials."""
    return SecurityTokenService().issue(
        role_arn="arn:aws:iam:::role/R", token="a.b.c", session_name="S", duration=3600, policy=policy
    )


def test_the_sts_is_asked_unsigned_and_its_credentials_come_back(sts: Told) -> None:
    assert ask() == Credentials("ASIAKEY", "secret", "session", datetime(2027, 1, 1, tzinfo=UTC))

    asked = {name: values[0] for name, values in parse_qs(sts.asked[0].decode()).items()}
    assert asked == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam:::role/R",
        "RoleSessionName": "S",
        "WebIdentityToken": "a.b.c",
        "DurationSeconds": "3600",
    }
    assert "secret" not in repr(ask())


def test_a_policy_is_sent_as_it_stands(sts: Told) -> None:
    ask('{"Statement":[]}')

    assert parse_qs(sts.asked[0].decode())["Policy"] == ['{"Statement":[]}']


MEANINGS: list[tuple[int, bytes, type[DomainError], int]] = [
    (403, CEPH % b"AccessDenied", RoleRefused, 1),
    (404, CEPH % b"NoSuchEntity", RoleRefused, 1),
    (403, AMAZON % (b"AccessDenied", b"Not authorized to perform sts:AssumeRoleWithWebIdentity"), RoleRefused, 1),
    (400, AMAZON % (b"InvalidIdentityToken", b"No OpenIDConnect provider found"), RoleRefused, 1),
    (400, AMAZON % (b"InvalidIdentityToken", b"Couldn't retrieve verification key from your provider"), RoleRefused, 2),
    (400, AMAZON % (b"ExpiredTokenException", b"Token expired"), TokenTooOld, 1),
    (400, AMAZON % (b"PackedPolicyTooLarge", b"Too large"), RoleRefused, 1),
    (400, AMAZON % (b"IDPCommunicationError", b"Try again"), RoleRefused, 2),
    (400, AMAZON % (b"Throttling", b"Rate exceeded"), Overloaded, 2),
    (503, AMAZON % (b"ServiceUnavailable", b"Later"), OutsideUnavailable, 2),
    (500, b"", OutsideUnavailable, 2),
    (200, b"not xml", OutsideUnavailable, 1),
]


@pytest.mark.parametrize(("status", "body", "meaning", "times"), MEANINGS)
def test_what_the_sts_says_has_a_meaning(
    status: int, body: bytes, meaning: type[DomainError], times: int, sts: Told
) -> None:
    sts.status, sts.body = status, body

    with pytest.raises(DomainError) as caught:
        ask()

    assert type(caught.value) is meaning
    assert caught.value.detail.startswith("STS")
    assert len(sts.asked) == times


def test_an_sts_that_nobody_reaches_is_unavailable(settings: Settings) -> None:
    destinations.permits.cache_clear()
    with serving(Told()) as gone:
        settings.STS_ENDPOINT_URL = gone.url
    with pytest.raises(OutsideUnavailable):
        ask()


def test_an_sts_that_hesitates_once_is_asked_again(sts: Told) -> None:
    answers = iter([(503, AMAZON % (b"ServiceUnavailable", b"Later")), (200, GIVEN)])

    def answer(request: object) -> None:
        sts.status, sts.body = next(answers)
        sts.instead = None
        status, body = sts.status, sts.body
        request.send_response(status)  # type: ignore[attr-defined]
        request.send_header("content-length", str(len(body)))  # type: ignore[attr-defined]
        request.end_headers()  # type: ignore[attr-defined]
        request.wfile.write(body)  # type: ignore[attr-defined]
        sts.status, sts.body = 200, GIVEN

    sts.instead = answer

    assert ask().access_key_id == "ASIAKEY"
    assert len(sts.asked) == 2


def test_the_sts_is_told_for_which_request_it_is_asked(sts: Told) -> None:
    told: list[str | None] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        told.append(handler.headers["X-Request-Id"])
        handler.send_response(200)
        handler.send_header("content-length", str(len(GIVEN)))
        handler.end_headers()
        handler.wfile.write(GIVEN)

    sts.instead = note
    ask()
    with structlog.contextvars.bound_contextvars(request_id="5f2c9f1e-0000-4000-8000-000000000001"):
        ask()

    assert told == [None, "5f2c9f1e-0000-4000-8000-000000000001"]


class Stopped(Exception):
    """A request was about to leave."""


def addressed(client: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - boto3's own
    """Return where a client sends an unsigned and a signed request, and for which region and service it signs."""
    sent: list[tuple[str, str]] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        scope = re.search(r"Credential=\w+/\d+/([^,]+)", str(request.headers.get("Authorization", "")))
        sent.append((request.url, scope[1] if scope else ""))
        raise Stopped

    client.meta.events.register_first("before-send", keep, "test")
    asked = {"RoleArn": "arn:aws:iam::000000000000:role/R", "RoleSessionName": "S1", "WebIdentityToken": "a.b.c"}
    for ask, given in ((client.assume_role_with_web_identity, asked), (client.get_caller_identity, {})):
        with contextlib.suppress(Stopped):
            ask(**given)
    client.meta.events.unregister("before-send", keep, "test")
    return [(client.meta.endpoint_url, client.meta.partition), *sent]


def test_without_a_list_of_endpoints_each_region_of_amazon_is_addressed_as_boto3_does() -> None:
    amazon = boto3.session.Session()
    known = [amazon.get_available_regions("sts", name) for name in amazon.get_available_partitions()]
    regions = [names[0] for names in known if names]
    assert len(regions) >= 3

    for region in ["us-east-1", "xx-unheard-1", *regions]:
        keys = {"aws_access_key_id": "unsigned", "aws_secret_access_key": "unsigned"}
        theirs = addressed(amazon.client("sts", region_name=region, **keys))
        assert len(theirs) == 3
        assert theirs[-1][1].startswith(f"{region}/sts/")
        assert addressed(outbound.aws_client("sts", region=region)) == theirs


@pytest.mark.parametrize("service", ["s3", "iam", "dynamodb"])
def test_what_the_demos_seed_asks_has_clients_too(service: str) -> None:
    client = outbound.aws_client(service, endpoint_url="http://127.0.0.1:9", keys=("key", "secret"))

    assert client.meta.endpoint_url == "http://127.0.0.1:9"
