"""Mail by SES: what arrives, in whose name, and what becomes of a message by what SES says."""

from __future__ import annotations

import base64
import email
import email.policy
import json
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import boto3
import pytest
from django.core import mail
from moto.backends import get_backend
from pytest_django import Settings

from federation.channels import amazon
from identity import telemetry
from identity.foundation import outbound
from pools.models import AuditEvent, CapturedMessage, OutboxMessage
from pools.services.messages import deliveries
from tests.federation.gateways import (
    AGAIN,
    FAILED,
    IDENTITY,
    KEPT,
    KEYS,
    SENT,
    SENT_MAIL,
    State,
    later,
    outcome,
    signed,
    waiting,
)
from tests.federation.servers import Told, serving, trickle

pytestmark = pytest.mark.usefixtures("transactional_db")
OWN = {
    "email_sending_account": "DEVELOPER",
    "source_arn": f"{IDENTITY}example.com",
    "from": "Das Täam <team@example.com>",
    "reply_to_email_address": "help@example.com",
    "configuration_set": "ours",
}
NOT_VERIFIED = "Email address is not verified. The following identities failed the check in region EU-WEST-1: a@b.com"
# Status, code, what SES says; what becomes of the message, and why.
ANSWERS = [
    (400, "MessageRejected", "Message contains a virus.", FAILED, "the message is rejected"),
    (400, "MessageRejected", NOT_VERIFIED, KEPT, "the sender is not verified, or in the sandbox the recipient"),
    (400, "BadRequestException", "Missing final '@domain'", FAILED, "no mail can have this address"),
    (400, "BadRequestException", "Domain contains illegal character", FAILED, "no mail can have this address"),
    (400, "BadRequestException", "Invalid identity ARN", AGAIN, "the request cannot be read"),
    (400, "AccountSuspendedException", "", KEPT, "the account may not send any more"),
    (400, "SendingPausedException", "", KEPT, "sending is paused, for the account or the configuration set"),
    (400, "MailFromDomainNotVerifiedException", "", KEPT, "the MAIL FROM domain is not verified"),
    (404, "NotFoundException", "", KEPT, "identity or configuration set does not exist"),
    (400, "LimitExceededException", "", KEPT, "the quota of the account is used up"),
    (429, "TooManyRequestsException", "", KEPT, "too much is sent at once"),
    (400, "ThrottlingException", "Maximum sending rate exceeded.", KEPT, "too much is sent at once"),
    (429, "SomethingNew", "", KEPT, "too much is sent at once"),
    (403, "AccessDeniedException", "User x@y.com may not ses:SendEmail", KEPT, "the credentials are refused"),
    (403, "UnrecognizedClientException", "", KEPT, "the credentials are refused"),
    (403, "SignatureDoesNotMatch", "", KEPT, "the credentials are refused"),
    (403, "SomethingNew", "", KEPT, "the credentials are refused"),
    (400, "SomethingNew", "", AGAIN, "the service says no"),
    (500, "InternalFailure", "", AGAIN, "the service is out of order"),
    (503, "SomethingNew", "", AGAIN, "the service is out of order"),
]


@pytest.fixture
def ses(aws: Settings) -> Iterator[Told]:
    """Return an SES that takes each mail until told otherwise; the installation sends by it."""
    aws.MAIL_CHANNEL, aws.DEFAULT_FROM_EMAIL = "ses", "Cognate <no-reply@id.example>"
    with serving(Told(body=SENT_MAIL, headers={"content-type": "application/json"})) as told:
        aws.SES_ENDPOINT_URL = told.url
        yield told


def refuse(told: Told, status: int, code: str, text: str) -> None:
    """Let SES answer so."""
    told.status, told.body = status, json.dumps({"message": text}).encode()
    told.headers = {"content-type": "application/json", "x-amzn-errortype": f"{code}:http://internal.amazon.com/x/"}


def accept(told: Told) -> None:
    """Let SES take mail again."""
    told.status, told.body, told.headers, told.instead = 200, SENT_MAIL, {"content-type": "application/json"}, None


def read(raw: bytes) -> EmailMessage:
    """Return a mail as a mail program reads it."""
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def asked(told: Told) -> dict[str, Any]:
    """Return what SES was asked last."""
    found: dict[str, Any] = json.loads(told.asked[-1])
    return found


def test_a_mail_reaches_ses_whole_and_its_id_is_kept(aws: Settings, moto: str) -> None:
    aws.MAIL_CHANNEL, aws.SES_ENDPOINT_URL, aws.SES_REGION = "ses", moto, "eu-west-1"
    aws.DEFAULT_FROM_EMAIL = "Cognate <no-reply@id.example>"
    keys = {"aws_access_key_id": KEYS[0], "aws_secret_access_key": KEYS[1]}
    boto3.client("sesv2", endpoint_url=moto, region_name="eu-west-1", **keys).create_email_identity(
        EmailIdentity="id.example"
    )
    row = waiting("email", email_configuration={"reply_to_email_address": "help@example.com"})

    assert deliveries.deliver(row.id) == State.SENT

    [kept] = [sent for sent in sent_by_moto("eu-west-1") if row_of(sent.id) is not None]
    assert row_of(kept.id) == row.id
    found = read(kept.raw_data.encode())
    assert found["from"] == "Cognate <no-reply@id.example>"
    assert (found["reply-to"], found["auto-submitted"]) == ("help@example.com", "auto-generated")
    assert set(kept.destinations) == {found["to"]}
    body, page = found.get_body(("plain",)), found.get_body(("html",))
    assert body is not None
    assert page is not None
    assert "Confirm your account" in body.get_content()
    assert "<html" in page.get_content()


def sent_by_moto(region: str) -> list[Any]:
    """Return what moto's SES has taken."""
    backends = [account[region] for account in get_backend("ses").values()]
    return [sent for backend in backends for sent in backend.sent_messages]


def row_of(gateway_id: str) -> object:
    """Return the id of the message that SES knows by this one."""
    return OutboxMessage.objects.filter(gateway_id=gateway_id).values_list("id", flat=True).first()


def test_a_pools_own_sender_is_told_to_ses_of_its_region(ses: Told, aws: Settings) -> None:
    aws.MAIL_CHANNEL = "smtp"
    row = waiting("email", email_configuration=OWN)

    assert deliveries.deliver(row.id) == State.SENT

    told = asked(ses)
    raw = read(base64.b64decode(told.pop("Content")["Raw"]["Data"]))
    assert told["Destination"] == {"ToAddresses": [raw["to"]]}
    assert told["FromEmailAddressIdentityArn"] == OWN["source_arn"]
    assert told["ConfigurationSetName"] == "ours"
    assert told["FromEmailAddress"].endswith("<team@example.com>")
    assert told["FromEmailAddress"].isascii()
    assert (raw["from"], raw["reply-to"]) == ("Das Täam <team@example.com>", "help@example.com")
    assert ses.paths == ["/v2/email/outbound-emails"]
    assert signed(ses.headings[0]) == (KEYS[0], "eu-west-1", "ses")
    assert OutboxMessage.objects.get(id=row.id).gateway_id == "mail-1"
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"source_arn": f"{IDENTITY}news@example.com"}, "news@example.com"),
        ({"source_arn": f"{IDENTITY}example.com"}, "no-reply@example.com"),
        ({"source_arn": f"{IDENTITY}example.com", "from": "a@example.com"}, "a@example.com"),
    ],
)
def test_who_a_pools_mail_is_from(ses: Told, given: dict[str, str], expected: str) -> None:
    row = waiting("email", email_configuration={"email_sending_account": "DEVELOPER", **given})

    assert deliveries.deliver(row.id) == State.SENT

    assert asked(ses)["FromEmailAddress"] == expected
    assert "ConfigurationSetName" not in asked(ses)


def test_without_a_sender_of_its_own_a_pool_has_the_installations(ses: Told, aws: Settings) -> None:
    own = {"email_configuration": {"email_sending_account": "COGNITO_DEFAULT", "source_arn": OWN["source_arn"]}}

    assert deliveries.deliver(waiting("email", **own).id) == State.SENT
    aws.SES_REGION = "ap-south-1"
    assert deliveries.deliver(waiting("email").id) == State.SENT

    for told in map(json.loads, ses.asked):
        assert told["FromEmailAddress"] == "Cognate <no-reply@id.example>"
        assert "FromEmailAddressIdentityArn" not in told
    assert [signed(heading)[1] for heading in ses.headings] == ["us-east-1", "ap-south-1"]


def test_where_messages_are_kept_here_nobody_is_written_to(ses: Told, aws: Settings) -> None:
    aws.MAIL_CHANNEL = "captured"
    row = waiting("email", email_configuration=OWN)

    assert deliveries.deliver(row.id) == State.SENT

    assert CapturedMessage.objects.filter(id=row.id).exists()
    assert ses.asked == []


def test_what_ses_says_decides_whether_to_try_again(ses: Told) -> None:
    row = waiting("email")
    for status, code, text, expected, reason in ANSWERS:
        refuse(ses, status, code, text)

        found, problem = outcome(row)

        shown = code.removesuffix("Exception")
        assert (found, problem) == (expected, f"SES: {reason} ({shown})"), code

    refuse(ses, 429, "TooManyRequestsException", "")
    assert outcome(row)[0] == KEPT
    accept(ses)
    assert later(row) == State.SENT


def test_a_mail_that_is_refused_for_good_ends_and_is_counted(ses: Told) -> None:
    row = waiting("email")
    refuse(ses, 400, "MessageRejected", "Message contains a virus.")

    assert outcome(row)[0] == FAILED

    after = OutboxMessage.objects.get(id=row.id)
    assert (after.sealed, after.lease, after.gateway_id) == (None, None, "")
    assert "cognate_outbox_failed_of_a_day 1.0" in telemetry.exposition().decode()
    assert deliveries.warning() == ""
    event = AuditEvent.objects.get(tag="message_refused")
    assert (event.pool_id, event.subject, event.outcome) == (row.pool_id, str(row.id), "refused")
    assert event.detail == {
        "purpose": "sign_up",
        "medium": "email",
        "reason": "SES: the message is rejected (MessageRejected)",
    }


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"MessageId": 7}', b"<html>Sign in</html>", b"null"]
)
def test_an_answer_that_says_nothing_costs_no_mail(ses: Told, body: bytes) -> None:
    row = waiting("email")
    ses.body = body

    assert outcome(row)[0] == AGAIN

    accept(ses)
    assert later(row) == State.SENT


def test_an_ses_that_hangs_costs_its_time_and_no_mail(ses: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amazon, "SECONDS", 0.4)
    row = waiting("email")
    ses.instead = trickle

    assert outcome(row) == (AGAIN, "SES: OutsideUnavailable")

    accept(ses)
    assert later(row) == State.SENT


def test_an_ses_that_nobody_reaches_costs_no_try(ses: Told, aws: Settings) -> None:
    row = waiting("email")
    with serving(Told()) as gone:
        aws.SES_ENDPOINT_URL = gone.url

    assert outcome(row) == (KEPT, "SES: EndpointConnectionError")

    aws.SES_ENDPOINT_URL = ses.url
    assert later(row) == State.SENT


def test_a_machine_without_keys_waits_for_some(ses: Told, aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws.MESSAGES_KEYS = ("", "")
    row = waiting("email")
    assert outcome(row) == (KEPT, "SES: NoCredentialsError")
    assert ses.asked == []

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDMACHINE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "machine-secret")
    assert later(row) == State.SENT

    assert signed(ses.headings[0])[0] == "AKIDMACHINE"


@pytest.mark.parametrize("sender", ["nobody", "grüße@id.example", ""])
def test_a_sender_that_is_no_address_costs_no_mail(ses: Told, aws: Settings, sender: str) -> None:
    aws.DEFAULT_FROM_EMAIL = sender

    found, problem = outcome(waiting("email"))

    assert found == KEPT
    assert problem.startswith("SES: ")
    assert ses.asked == []


def test_operators_are_told_what_holds_mail_up(ses: Told) -> None:
    row = waiting("email")
    refuse(ses, 400, "SendingPausedException", "")

    assert outcome(row)[0] == KEPT
    assert deliveries.warning() == "messages wait for the mail server: see the log"

    accept(ses)
    assert later(row) == State.SENT
    assert deliveries.warning() == ""


@pytest.mark.parametrize("service", ["sesv2", "sns"])
def test_each_region_of_amazon_is_addressed_as_boto3_does(service: str) -> None:
    amazon_own = boto3.session.Session()
    known = [amazon_own.get_available_regions(service, name) for name in amazon_own.get_available_partitions()]

    for region in ["xx-unheard-1", *(names[0] for names in known if names), "us-east-1"]:
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
        theirs = amazon_own.client(service, region_name=region, **keys).meta.endpoint_url
        assert outbound.aws_client(service, region=region, keys=("k", "s")).meta.endpoint_url == theirs
        assert theirs.startswith("https://")


def test_sent_is_sent(ses: Told) -> None:
    assert outcome(waiting("email")) == (SENT, "")
