"""SMS by SNS: what arrives, with whose role, and what becomes of a message by what SNS and STS say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from django.db.models.functions import Now
from moto.backends import get_backend
from pytest_django import Settings

from federation.channels import amazon
from identity import telemetry
from identity.foundation import aws_clients, clock
from pools.models import AuditEvent, CapturedMessage, OutboxMessage
from pools.services.messages import deliveries
from pools.services.pools import user_pools
from tests import factories
from tests.federation.gateways import (
    AGAIN,
    EXTERNAL_ID,
    FAILED,
    KEPT,
    KEYS,
    ROLE,
    SENT_TEXT,
    XML,
    State,
    assumed,
    code_of,
    later,
    outcome,
    pool_of,
    signed,
    waiting,
)
from tests.federation.servers import Told, serving, trickle
from tests.federation.test_sts import GIVEN
from tests.services.conftest import at_once

pytestmark = pytest.mark.usefixtures("transactional_db")
ERROR = """<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>%s</Code>
<Message>%s</Message></Error><RequestId>x</RequestId></ErrorResponse>"""
NUMBER = "Invalid parameter: PhoneNumber Reason: +436641234567 is not valid to publish to"
# Status, code, what SNS says; what becomes of the message, and why.
ANSWERS = [
    (400, "InvalidParameter", NUMBER, FAILED, "no text message goes to this number, or none with this text"),
    (400, "ParameterValueInvalid", "", FAILED, "no text message goes to this number, or none with this text"),
    (400, "ValidationException", "", FAILED, "no text message goes to this number, or none with this text"),
    (400, "OptedOut", "", FAILED, "the owner of this number wants no text messages"),
    (403, "AuthorizationError", "User x may not SNS:Publish", KEPT, "the credentials may not send"),
    (403, "InvalidSecurity", "", KEPT, "the credentials may not send"),
    (429, "Throttled", "Rate exceeded", KEPT, "too much is sent at once"),
    (400, "Throttling", "Rate exceeded", KEPT, "too much is sent at once"),
    (403, "InvalidClientTokenId", "", KEPT, "the credentials are refused"),
    (403, "SignatureDoesNotMatch", "", KEPT, "the credentials are refused"),
    (400, "SomethingNew", "", AGAIN, "the service says no"),
    (500, "InternalError", "", AGAIN, "the service is out of order"),
]


@pytest.fixture
def sns(aws: Settings) -> Iterator[Told]:
    """Return an SNS that takes each text until told otherwise; the installation sends by it."""
    aws.SMS_CHANNEL = "sns"
    with serving(Told(body=SENT_TEXT, headers=XML)) as told:
        aws.SNS_ENDPOINT_URL = told.url
        yield told


def refuse(told: Told, status: int, code: str, text: str = "") -> None:
    """Let a service answer so."""
    told.status, told.body = status, (ERROR % (code, text)).encode()


def accept(told: Told, body: bytes = SENT_TEXT) -> None:
    """Let it answer well again."""
    told.status, told.body, told.instead = 200, body, None


def asked(told: Told, number: int = -1) -> dict[str, str]:
    """Return what a service was asked."""
    return {name: values[0] for name, values in parse_qs(told.asked[number].decode()).items()}


def own(**more: str) -> dict[str, Any]:
    """Return the settings of a pool with a role of its own."""
    return {"sms_configuration": {"sns_caller_arn": ROLE, "external_id": EXTERNAL_ID, **more}}


def texts_at_moto(region: str) -> dict[str, tuple[str, str]]:
    """Return number and text of each text message that moto's SNS has taken, by its id."""
    backends = [account[region] for account in get_backend("sns").values()]
    return {name: sent for backend in backends for name, sent in backend.sms_messages.items()}


def test_a_text_reaches_sns_whole_and_its_id_is_kept(aws: Settings, moto: str) -> None:
    aws.SMS_CHANNEL, aws.SNS_ENDPOINT_URL, aws.SNS_REGION = "sns", moto, "eu-central-1"
    row = waiting("sms")

    assert deliveries.deliver(row.id) == State.SENT

    to, text = texts_at_moto("eu-central-1")[OutboxMessage.objects.get(id=row.id).gateway_id]
    assert to.startswith("+43664")
    assert re.match(r"Your verification code is \d{6}\n\n@localhost #\d{6}$", text)


def test_the_installation_sends_with_its_own_keys(sns: Told, sts: Told, aws: Settings) -> None:
    aws.SNS_REGION = "ap-south-1"

    assert deliveries.deliver(waiting("sms").id) == State.SENT

    told = asked(sns)
    assert (told["Action"], told["PhoneNumber"][:6]) == ("Publish", "+43664")
    assert told["MessageAttributes.entry.1.Name"] == "AWS.SNS.SMS.SMSType"
    assert told["MessageAttributes.entry.1.Value.StringValue"] == "Transactional"
    assert signed(sns.headings[0]) == (KEYS[0], "ap-south-1", "sns")
    assert "x-amz-security-token" not in sns.headings[0]
    assert sts.asked == []


def test_a_pools_role_is_assumed_with_its_external_id_and_sends_in_its_region(sns: Told, sts: Told) -> None:
    row = waiting("sms", **own(sns_region="eu-west-1"))

    assert deliveries.deliver(row.id) == State.SENT

    assert asked(sts) == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "cognate-sms",
        "ExternalId": EXTERNAL_ID,
    }
    assert signed(sts.headings[0]) == (KEYS[0], "eu-west-1", "sts")
    assert signed(sns.headings[0]) == ("ASIAONE", "eu-west-1", "sns")
    assert sns.headings[0]["x-amz-security-token"] == "role-session"
    assert OutboxMessage.objects.get(id=row.id).gateway_id == "text-1"


def test_a_role_is_assumed_once_until_shortly_before_its_end(sns: Told, sts: Told) -> None:
    client = factories.make_client(pool_of(waiting("sms", **own())))
    for _ in range(2):
        assert deliveries.deliver(code_of(client, "sms").id) == State.SENT
    assert len(sts.asked) == 1

    for another in (own(external_id="another"), {"sms_configuration": {"sns_caller_arn": ROLE}}):
        assert deliveries.deliver(waiting("sms", **another).id) == State.SENT
    assert [asked(sts, number).get("ExternalId") for number in range(3)] == [EXTERNAL_ID, "another", None]

    sts.body = assumed("SHORT", timedelta(minutes=4))
    for _ in range(2):
        assert deliveries.deliver(waiting("sms", **own(external_id="short")).id) == State.SENT
    assert len(sts.asked) == 5


def test_credentials_that_end_before_their_time_are_fetched_anew(sns: Told, sts: Told) -> None:
    row = waiting("sms", **own())
    refuse(sns, 403, "ExpiredToken")
    assert outcome(row) == (KEPT, "SNS: the credentials are refused (ExpiredToken)")

    accept(sns)
    sts.body = assumed("TWO", timedelta(hours=1))
    assert later(row) == State.SENT

    assert signed(sns.headings[-1])[0] == "ASIATWO"


def test_a_role_that_cannot_be_assumed_costs_no_text(sns: Told, sts: Told) -> None:
    row = waiting("sms", **own())
    answers = [
        (403, "AccessDenied", "not authorized to perform: sts:AssumeRole", "STS: the credentials are refused"),
        (400, "ValidationError", "externalId failed to satisfy constraint", "STS: the service says no"),
        (400, "Throttling", "", "STS: too much is sent at once"),
        (500, "InternalFailure", "", "STS: the service is out of order"),
    ]
    for status, code, text, reason in answers:
        refuse(sts, status, code, text)
        assert outcome(row) == (KEPT, f"{reason} ({code})")
    accept(sts, b"<html></html>")
    assert outcome(row)[0] == KEPT
    assert sns.asked == []

    accept(sts, assumed("ONE", timedelta(hours=1)))
    assert later(row) == State.SENT


def test_a_pools_role_sends_where_the_installation_sends_nothing(sns: Told, sts: Told, aws: Settings) -> None:
    aws.SMS_CHANNEL = ""
    row = waiting("sms", **own())

    assert deliveries.deliver(row.id) == State.SENT

    assert len(sns.asked) == 1


def test_where_texts_are_kept_here_nobody_is_written_to(sns: Told, sts: Told, aws: Settings) -> None:
    aws.SMS_CHANNEL = "captured"
    row = waiting("sms", **own())

    assert deliveries.deliver(row.id) == State.SENT

    assert CapturedMessage.objects.filter(id=row.id).exists()
    assert sns.asked == sts.asked == []


def test_a_text_waits_for_a_gateway_and_goes_by_the_first_that_comes(sns: Told, sts: Told, aws: Settings) -> None:
    client = factories.make_client(
        factories.make_pool(username_attributes=["phone_number"], auto_verified_attributes=["phone_number"])
    )
    aws.SMS_CHANNEL = ""
    row = code_of(client, "sms")

    assert outcome(row) == (KEPT, deliveries.NO_GATEWAY)
    assert deliveries.waiting(client.pool) == [("sms", deliveries.NO_GATEWAY)]
    assert deliveries.warning() == "text messages wait for their gateway: see the log"

    user_pools.update(client.pool, own(), by=factories.BY)
    assert later(row) == State.SENT
    assert asked(sts)["ExternalId"] == EXTERNAL_ID
    assert (deliveries.waiting(pool_of(row)), deliveries.warning()) == ([], "")


def test_what_sns_says_decides_whether_to_try_again(sns: Told) -> None:
    row = waiting("sms")
    for status, code, text, expected, reason in ANSWERS:
        refuse(sns, status, code, text)

        found, problem = outcome(row)

        assert (found, problem) == (expected, f"SNS: {reason} ({code.removesuffix('Exception')})"), code

    refuse(sns, 429, "Throttled")
    assert outcome(row)[0] == KEPT
    accept(sns)
    assert later(row) == State.SENT


def test_a_text_that_is_refused_for_good_ends_and_is_counted(sns: Told) -> None:
    row = waiting("sms")
    refuse(sns, 400, "InvalidParameter", NUMBER)

    assert outcome(row)[0] == FAILED

    after = OutboxMessage.objects.get(id=row.id)
    assert (after.sealed, after.lease) == (None, None)
    assert "436641234567" not in after.problem
    assert "cognate_outbox_failed_of_a_day 1.0" in telemetry.exposition().decode()
    event = AuditEvent.objects.get(tag="message_refused")
    assert (event.pool_id, event.subject, event.outcome) == (row.pool_id, str(row.id), "refused")
    assert event.detail == {"purpose": "sign_up", "medium": "sms", "reason": after.problem}


@pytest.mark.parametrize("body", [b"", b"not xml", b"<html>", b"<a/>", b"<PublishResponse></PublishResponse>", b"{}"])
def test_an_answer_that_says_nothing_costs_no_text(sns: Told, body: bytes) -> None:
    row = waiting("sms")
    sns.body = body

    assert outcome(row)[0] == AGAIN

    accept(sns)
    assert later(row) == State.SENT


def test_an_sns_that_hangs_costs_its_time_and_no_text(sns: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amazon, "SECONDS", 0.4)
    row = waiting("sms")
    sns.instead = trickle
    began = clock.monotonic()

    assert outcome(row) == (AGAIN, "SNS: OutsideUnavailable")

    assert clock.monotonic() - began < 2
    accept(sns)
    assert later(row) == State.SENT


def test_more_texts_than_may_go_at_once_wait_for_one_another(sns: Told) -> None:
    rows = [waiting("sms") for _ in range(8)]

    def answer(request: BaseHTTPRequestHandler) -> None:
        sleep(0.3)
        request.send_response(200)
        request.send_header("content-length", str(len(SENT_TEXT)))
        request.end_headers()
        request.wfile.write(SENT_TEXT)

    sns.instead = answer

    assert at_once(8, lambda number: deliveries.deliver(rows[number].id)) == [State.SENT] * 8


def test_an_sns_that_nobody_reaches_costs_no_try(sns: Told, aws: Settings) -> None:
    row = waiting("sms")
    with serving(Told()) as gone:
        aws.SNS_ENDPOINT_URL = gone.url

    assert outcome(row) == (KEPT, "SNS: EndpointConnectionError")

    aws.SNS_ENDPOINT_URL = sns.url
    assert later(row) == State.SENT


def test_a_role_of_the_machine_is_assumed_by_the_one_way_out(
    sns: Told, aws: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aws.MESSAGES_KEYS, aws.SNS_REGION = ("", ""), "eu-west-3"
    token = tmp_path / "token"
    token.write_text("machine-token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    real, places = aws_clients.Carrier.send, []

    def send(carrier: aws_clients.Carrier, request: AWSPreparedRequest, **event: Any) -> AWSResponse:
        places.append(request.url)
        if "sts." not in request.url:
            return real(carrier, request, **event)
        assert "machine-token" in str(request.body)
        return AWSResponse(request.url, 200, XML, aws_clients.Body(GIVEN))

    monkeypatch.setattr(aws_clients.Carrier, "send", send)

    assert deliveries.deliver(waiting("sms").id) == State.SENT

    assert places == ["https://sts.eu-west-3.amazonaws.com/", f"{sns.url}/"]
    assert signed(sns.headings[0])[0] == "ASIAKEY"


def test_a_region_that_no_host_can_have_costs_no_text(sns: Told) -> None:
    row = waiting("sms")
    pool = pool_of(row)
    # As a release before could keep it.
    pool.configuration["sms_configuration"] = {"sns_caller_arn": ROLE, "sns_region": "x.example/"}
    type(pool).objects.filter(pk=pool.pk).update(configuration=pool.configuration)

    assert outcome(row)[0] == KEPT
    assert sns.asked == []


def test_no_key_and_no_number_reaches_a_log(sns: Told, sts: Told, caplog: pytest.LogCaptureFixture) -> None:
    row = waiting("sms", **own())
    refuse(sns, 400, "SomethingNew", NUMBER)
    assert outcome(row)[0] == AGAIN
    OutboxMessage.objects.update(due_at=Now())
    accept(sns)
    assert deliveries.sweep() == 1

    said = caplog.text + repr(pool_of(row)) + repr(OutboxMessage.objects.get(id=row.id))
    for secret in (*KEYS, "role-secret", "role-session", EXTERNAL_ID, "436641234567", asked(sns)["PhoneNumber"]):
        assert secret not in said
