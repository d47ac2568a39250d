"""SMS by AWS End User Messaging: what arrives, with whose role, and what becomes of a message by what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from django.db.models.functions import Now
from pytest_django import Settings

from federation.channels import amazon
from identity.foundation import aws_clients, clock, destinations
from pools.models import AuditEvent, OutboxMessage
from pools.services.messages import deliveries, routes
from pools.services.pools import user_pools
from tests import factories
from tests.federation.gateways import (
    AGAIN,
    EXTERNAL_ID,
    FAILED,
    KEPT,
    KEYS,
    ROLE,
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
from tests.services.conftest import at_once

pytestmark = pytest.mark.usefixtures("transactional_db")
SENT = json.dumps({"MessageId": "text-1"}).encode()
JSON = {"content-type": "application/x-amz-json-1.0"}
FROM = "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-1"
NO_NUMBER = "no text message goes to this number, or none with this text"
NO_COUNTRY = "no text message goes to this number's country"
NO_IDENTITY = "the origination identity, the configuration set or the registered ids are not right"
OPTED_OUT = "the owner of this number wants no text messages"
PROTECTED = "the account is protected against writing to this number"
FIELD = "FIELD_VALIDATION_FAILED"


def about(member: str) -> dict[str, Any]:
    """Return what a refusal of a member says."""
    return {"Reason": FIELD, "Fields": [{"Name": member, "Message": "is not valid: +436641234567"}]}


# Status, code, what else is said; what becomes of the message, and why.
ANSWERS: list[tuple[int, str, dict[str, Any], str, str]] = [
    (400, "ValidationException", about("DestinationPhoneNumber"), FAILED, NO_NUMBER),
    (400, "ValidationException", {"Reason": "INVALID_PARAMETER"}, FAILED, NO_NUMBER),
    (400, "ValidationException", {}, FAILED, NO_NUMBER),
    (400, "ValidationException", {"Reason": None, "Fields": [{}]}, FAILED, NO_NUMBER),
    (400, "ValidationException", {"Reason": "COUNTRY_NOT_ENABLED"}, FAILED, NO_COUNTRY),
    (400, "ValidationException", {"Reason": "DESTINATION_COUNTRY_BLOCKED"}, FAILED, NO_COUNTRY),
    (400, "ValidationException", {"Reason": "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY"}, FAILED, NO_COUNTRY),
    (400, "ValidationException", about("OriginationIdentity"), KEPT, NO_IDENTITY),
    (400, "ValidationException", about("ConfigurationSetName"), KEPT, NO_IDENTITY),
    (400, "ValidationException", about("DestinationCountryParameters"), KEPT, NO_IDENTITY),
    (400, "ValidationException", {"Reason": "SENDER_ID_NOT_REGISTERED"}, KEPT, NO_IDENTITY),
    (400, "ConflictException", {"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}, FAILED, OPTED_OUT),
    (400, "ConflictException", {"Reason": "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"}, FAILED, PROTECTED),
    (
        400,
        "ConflictException",
        {"Reason": "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"},
        KEPT,
        "the account is in the sandbox, and the number not verified",
    ),
    (
        400,
        "ConflictException",
        {"Reason": "NO_ORIGINATION_IDENTITIES_FOUND"},
        KEPT,
        "no origination identity can send this",
    ),
    (400, "ConflictException", {"Reason": "SOMETHING_NEW"}, AGAIN, "the service says no"),
    (
        400,
        "ResourceNotFoundException",
        {"ResourceType": "pool"},
        KEPT,
        "origination identity or configuration set does not exist",
    ),
    (
        400,
        "ServiceQuotaExceededException",
        {"Reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"},
        KEPT,
        "the quota of the account is used up",
    ),
    (400, "ThrottlingException", {}, KEPT, "too much is sent at once"),
    (429, "SomethingNew", {}, KEPT, "too much is sent at once"),
    (400, "AccessDeniedException", {}, KEPT, "the credentials are refused"),
    (400, "AccessDeniedException", {"Reason": "ACCOUNT_DISABLED"}, KEPT, "the account may not send any more"),
    (400, "UnrecognizedClientException", {}, KEPT, "the credentials are refused"),
    (400, "InvalidSignatureException", {}, KEPT, "the credentials are refused"),
    (500, "InternalServerException", {"RequestId": "x"}, AGAIN, "the service is out of order"),
    (503, "ServiceUnavailable", {}, AGAIN, "the service is out of order"),
]


@pytest.fixture
def eums(aws: Settings) -> Iterator[Told]:
    """Return an End User Messaging that takes each text until told otherwise; the installation sends by it."""
    aws.SMS_CHANNEL = "eums"
    with serving(Told(body=SENT, headers=JSON)) as told:
        aws.EUMS_ENDPOINT_URL = told.url
        yield told


def refuse(told: Told, status: int, code: str, **more: Any) -> None:
    """Let it answer so. AWS JSON 1.0."""
    told.status = status
    told.body = json.dumps({"__type": f"com.amazonaws.sms#{code}", "Message": "No: +436641234567", **more}).encode()


def accept(told: Told) -> None:
    """Let it answer well again."""
    told.status, told.body, told.instead = 200, SENT, None


def asked(told: Told) -> dict[str, Any]:
    """Return what it was asked last."""
    found: dict[str, Any] = json.loads(told.asked[-1])
    return found


def own(**more: str) -> dict[str, Any]:
    """Return the settings of a pool that sends by a role of its own."""
    return {"sms_configuration": {"eums_sms": {"caller_arn": ROLE, "external_id": EXTERNAL_ID, **more}}}


def test_the_installation_sends_with_its_own_keys_and_identity(eums: Told, sts: Told, aws: Settings) -> None:
    aws.EUMS_REGION, aws.EUMS_ORIGINATION_IDENTITY, aws.EUMS_CONFIGURATION_SET = "ap-south-1", "+43720000000", "ours"
    row = waiting("sms")

    assert deliveries.deliver(row.id) == State.SENT

    told = asked(eums)
    to, text = told.pop("DestinationPhoneNumber"), told.pop("MessageBody")
    assert re.fullmatch(r"\+43664\d{7}", to)
    assert re.match(r"Your verification code is \d{6}\n\n@localhost #\d{6}$", text)
    assert told == {
        "MessageType": "TRANSACTIONAL",
        "OriginationIdentity": "+43720000000",
        "ConfigurationSetName": "ours",
    }
    assert eums.headings[0]["x-amz-target"] == "PinpointSMSVoiceV2.SendTextMessage"
    assert signed(eums.headings[0]) == (KEYS[0], "ap-south-1", "sms-voice")
    assert "x-amz-security-token" not in eums.headings[0]
    assert sts.asked == []
    assert OutboxMessage.objects.get(id=row.id).gateway_id == "text-1"


def test_what_is_not_said_is_not_asked(eums: Told, sts: Told, aws: Settings) -> None:
    aws.EUMS_ORIGINATION_IDENTITY, aws.EUMS_CONFIGURATION_SET = "", ""
    empty = dict.fromkeys(("origination_identity", "configuration_set_name", "in_entity_id", "in_template_id"), "")

    for given in ({}, own(), own(**empty)):
        assert deliveries.deliver(waiting("sms", **given).id) == State.SENT
        assert asked(eums).keys() == {"DestinationPhoneNumber", "MessageBody", "MessageType"}


def test_a_pools_role_sends_as_the_pool_says_in_its_region(eums: Told, sts: Told, aws: Settings) -> None:
    aws.REGION, aws.EUMS_REGION = "eu-west-1", "eu-central-1"
    aws.EUMS_ORIGINATION_IDENTITY, aws.EUMS_CONFIGURATION_SET = "+43720000000", "ours"
    told_of_india = {"in_entity_id": "1101", "in_template_id": "1107"}
    row = waiting(
        "sms", **own(region="eu-west-1", origination_identity=FROM, configuration_set_name="theirs", **told_of_india)
    )

    assert deliveries.deliver(row.id) == State.SENT

    told = asked(eums)
    assert (told["OriginationIdentity"], told["ConfigurationSetName"]) == (FROM, "theirs")
    assert told["DestinationCountryParameters"] == {"IN_ENTITY_ID": "1101", "IN_TEMPLATE_ID": "1107"}
    assert b"ExternalId=their+word" in sts.asked[0]
    assert signed(sts.headings[0]) == (KEYS[0], "eu-west-1", "sts")
    assert signed(eums.headings[0]) == ("ASIAONE", "eu-west-1", "sms-voice")
    assert eums.headings[0]["x-amz-security-token"] == "role-session"


def test_a_pool_that_names_no_region_sends_in_the_installations(eums: Told, sts: Told, aws: Settings) -> None:
    aws.EUMS_REGION, aws.EUMS_CONFIGURATION_SET = "eu-central-1", "ours"

    assert deliveries.deliver(waiting("sms", **own(in_entity_id="1101")).id) == State.SENT

    assert signed(sts.headings[0])[1] == signed(eums.headings[0])[1] == "eu-central-1"
    assert asked(eums)["DestinationCountryParameters"] == {"IN_ENTITY_ID": "1101"}
    assert "ConfigurationSetName" not in asked(eums)


def test_a_pools_role_is_assumed_once_and_anew_once_it_is_refused(eums: Told, sts: Told) -> None:
    row = waiting("sms", **own())
    client = factories.make_client(pool_of(row))
    for each in (row, code_of(client, "sms")):
        assert deliveries.deliver(each.id) == State.SENT
    assert len(sts.asked) == 1

    refuse(eums, 400, "ExpiredTokenException")
    assert outcome(row) == (KEPT, "EUMS: the credentials are refused (ExpiredToken)")
    accept(eums)
    sts.body = assumed("TWO", timedelta(hours=1))
    assert later(row) == State.SENT
    assert signed(eums.headings[-1])[0] == "ASIATWO"


def test_a_role_that_cannot_be_assumed_costs_no_text(eums: Told, sts: Told) -> None:
    row = waiting("sms", **own())
    sts.status, sts.body = 403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"

    assert outcome(row) == (KEPT, "STS: the credentials are refused (AccessDenied)")
    assert eums.asked == []
    assert deliveries.waiting(pool_of(row)) == [("sms", "STS: the credentials are refused (AccessDenied)")]

    sts.status, sts.body = 200, assumed("ONE", timedelta(hours=1))
    assert later(row) == State.SENT


@pytest.mark.parametrize(
    ("region", "suffix"),
    [("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn"), ("us-iso-east-1", "c2s.ic.gov")],
)
def test_without_an_endpoint_it_is_amazons_of_the_region(
    aws: Settings, monkeypatch: pytest.MonkeyPatch, region: str, suffix: str
) -> None:
    aws.SMS_CHANNEL, aws.REGION = "", region
    aws.EUMS_ENDPOINT_URL, aws.SNS_STS_ENDPOINT_URL = "", ""
    places = list[str]()

    def send(_: aws_clients.Carrier, request: AWSPreparedRequest, **event: Any) -> AWSResponse:
        del event
        places.append(request.url)
        body, kind = (assumed("ONE", timedelta(hours=1)), XML) if "//sts." in request.url else (SENT, JSON)
        return AWSResponse(request.url, 200, kind, aws_clients.Body(body))

    monkeypatch.setattr(aws_clients.Carrier, "send", send)

    assert deliveries.deliver(waiting("sms", **own(region=region)).id) == State.SENT

    assert places == [f"https://sts.{region}.{suffix}/", f"https://sms-voice.{region}.{suffix}/"]


@pytest.mark.parametrize("channel", ["", "sns"])
def test_a_pools_role_sends_whatever_the_installation_sends_by(
    eums: Told, sts: Told, aws: Settings, channel: str
) -> None:
    aws.SMS_CHANNEL = channel

    assert deliveries.deliver(waiting("sms", **own()).id) == State.SENT

    assert len(eums.asked) == 1


def test_where_texts_are_kept_here_nobody_is_written_to(eums: Told, sts: Told, aws: Settings) -> None:
    aws.SMS_CHANNEL = "captured"

    assert deliveries.deliver(waiting("sms", **own()).id) == State.SENT

    assert eums.asked == sts.asked == []


def test_a_text_that_waits_for_a_gateway_goes_by_end_user_messaging(eums: Told, sts: Told, aws: Settings) -> None:
    row = waiting("sms")
    aws.SMS_CHANNEL = ""
    assert outcome(row) == (KEPT, deliveries.NO_GATEWAY)

    pool = user_pools.update(pool_of(row), own(), by=factories.BY)

    assert later(row) == State.SENT
    assert len(eums.asked) == 1
    assert (deliveries.waiting(pool), deliveries.warning()) == ([], "")


def test_a_row_with_both_senders_sends_by_end_user_messaging(eums: Told) -> None:
    pool = pool_of(waiting("sms", **own()))
    pool.configuration["sms_configuration"]["sns_caller_arn"] = f"{ROLE}-sns"  # no setting is taken so

    route = routes.of(pool, "sms")

    assert (route.carrier, route.sender.role) == ("eums", ROLE)


def test_what_is_answered_decides_whether_to_try_again(eums: Told) -> None:
    row = waiting("sms")
    for status, code, more, expected, reason in ANSWERS:
        refuse(eums, status, code, **more)

        found, problem = outcome(row)

        assert (found, problem) == (expected, f"EUMS: {reason} ({code.removesuffix('Exception')})"), (code, more)

    refuse(eums, 400, "ThrottlingException")
    assert outcome(row)[0] == KEPT
    assert deliveries.warning() == "text messages wait for their gateway: see the log"
    accept(eums)
    assert later(row) == State.SENT


def test_a_text_that_is_refused_for_good_ends_and_is_told(eums: Told) -> None:
    row = waiting("sms")
    refuse(eums, 400, "ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT")

    assert outcome(row)[0] == FAILED

    after = OutboxMessage.objects.get(id=row.id)
    assert (after.sealed, after.lease) == (None, None)
    event = AuditEvent.objects.get(tag="message_refused")
    assert (event.pool_id, event.subject) == (row.pool_id, str(row.id))
    assert event.detail == {"purpose": "sign_up", "medium": "sms", "reason": after.problem}


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"MessageId": 7}', b"null"])
def test_an_answer_that_says_nothing_costs_no_text(eums: Told, body: bytes) -> None:
    row = waiting("sms")
    eums.body = body

    assert outcome(row)[0] == AGAIN

    accept(eums)
    assert later(row) == State.SENT


def test_one_that_hangs_costs_its_time_and_no_text(eums: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amazon, "SECONDS", 0.4)
    row = waiting("sms")
    eums.instead = trickle
    began = clock.monotonic()

    assert outcome(row) == (AGAIN, "EUMS: OutsideUnavailable")

    assert clock.monotonic() - began < 2
    accept(eums)
    assert later(row) == State.SENT


def test_one_that_nobody_reaches_costs_no_try(eums: Told, aws: Settings) -> None:
    row = waiting("sms")
    with serving(Told()) as gone:
        aws.EUMS_ENDPOINT_URL = gone.url

    assert outcome(row) == (KEPT, "EUMS: EndpointConnectionError")

    aws.EUMS_ENDPOINT_URL = eums.url
    assert later(row) == State.SENT


def test_texts_at_once_all_go_and_each_once(eums: Told) -> None:
    rows = [waiting("sms") for _ in range(6)]
    destinations.permits.cache_clear()

    assert at_once(6, lambda number: deliveries.deliver(rows[number].id)) == [State.SENT] * 6

    assert len({json.loads(each)["DestinationPhoneNumber"] for each in eums.asked}) == len(eums.asked) == 6


def test_no_key_and_no_number_reaches_a_log(eums: Told, sts: Told, caplog: pytest.LogCaptureFixture) -> None:
    row = waiting("sms", **own())
    refuse(eums, 400, "SomethingNew")
    assert outcome(row)[0] == AGAIN
    OutboxMessage.objects.update(due_at=Now())
    accept(eums)
    assert deliveries.sweep() == 1

    said = caplog.text + repr(pool_of(row)) + repr(OutboxMessage.objects.get(id=row.id))
    number = asked(eums)["DestinationPhoneNumber"]
    for secret in (*KEYS, "role-secret", "role-session", EXTERNAL_ID, "436641234567", number):
        assert secret not in said
