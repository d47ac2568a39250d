"""Signatures of operators: what botocore signs is accepted, whatever was changed since is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from identity.foundation.actor import Actor
from identity.foundation.call import Call
from identity.models import AccessKey
from pools.cognito import callers
from pools.cognito.faults import Fault
from pools.models import AuditEvent
from pools.services.operators import operators
from tests.walks import walk

pytestmark = pytest.mark.django_db
BODY = b'{"MaxResults": 5}'
TARGET = "AWSCognitoIdentityProviderService.ListUserPools"


@pytest.fixture
def key() -> tuple[str, str]:
    """Return an access key of a new operator."""
    return operators.create_key(operators.create("ada", by=Actor.system()), by=Actor.system())


def signed(
    key: tuple[str, str],
    *,
    region: str = "us-east-1",
    service: str = "cognito-idp",
    url: str = "https://id.example/",
    session_token: str | None = None,
    **headers: str,
) -> Call:
    """Return a request as botocore signs it."""
    request = AWSRequest("POST", url, data=BODY, headers={"X-Amz-Target": TARGET, "Host": "id.example", **headers})
    SigV4Auth(Credentials(*key, session_token), service, region).add_auth(request)
    sent = {name.lower(): str(value) for name, value in request.headers.items()}
    return Call("POST", "/", url.partition("?")[2], sent, BODY, "10.0.0.1", "request-1")


def refusal(call: Call) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        callers.operator(call, "cognito-idp")
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


def test_a_signed_request_is_its_operators(key: tuple[str, str]) -> None:
    actor = callers.operator(signed(key), "cognito-idp").by

    operator = Actor.operator(operators.operator("ada").pk, address="10.0.0.1", request_id="request-1")
    assert actor == replace(operator, is_api=True)


def test_the_use_of_a_key_is_written_once_a_quarter_of_an_hour(key: tuple[str, str]) -> None:
    counts, used = [], []
    with time_machine.travel(datetime.now(UTC), tick=False) as travel:
        for minutes in (0, 14, 2):
            travel.shift(timedelta(minutes=minutes))
            with CaptureQueriesContext(connection) as captured:
                callers.operator(signed(key), "cognito-idp")
            counts.append(len(captured))
            used.append(AccessKey.objects.get(id=key[0]).last_used_at)

    assert counts == [2, 1, 2]
    first, second, third = used
    assert first
    assert (second, third) == (first, first + timedelta(minutes=16))


@pytest.mark.parametrize(
    "url", ["https://id.example/?a=1&b=2", "https://id.example/?b=2&a=1&a=0", "https://id.example/?x=%2Fy%20z&flag="]
)
def test_a_query_is_covered(key: tuple[str, str], url: str) -> None:
    call = signed(key, url=url)

    assert callers.operator(call, "cognito-idp").by.kind == "operator"
    assert refusal(replace(call, query=call.query + "0"))[0] == "InvalidSignatureException"


def test_folded_headers_are_signed_as_one_space(key: tuple[str, str]) -> None:
    call = signed(key, **{"X-Amz-Custom": "a   b"})

    assert callers.operator(call, "cognito-idp").by.kind == "operator"


@pytest.mark.parametrize(
    "change",
    [
        {"body": b'{"MaxResults": 6}'},
        {"body": b""},
        {"method": "PUT"},
        {"raw_path": "/other"},
        {"headers": {"x-amz-target": "AWSCognitoIdentityProviderService.DeleteUserPool"}},
        {"headers": {"host": "other.example"}},
        {"headers": {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}},
    ],
    ids=["body", "no body", "method", "path", "target", "host", "unsigned payload"],
)
def test_whatever_was_changed_since_the_signature_is_refused(key: tuple[str, str], change: dict[str, Any]) -> None:
    call = signed(key)
    if "headers" in change:
        change = {"headers": {**call.headers, **change["headers"]}}

    assert refusal(replace(call, **change)) == ("InvalidSignatureException", callers.DOES_NOT_MATCH)


def test_a_wrong_secret_is_refused_and_kept_once_a_minute(key: tuple[str, str]) -> None:
    wrong = (key[0], "x" * 40)

    for _ in range(3):
        assert refusal(signed(wrong))[0] == "InvalidSignatureException"

    kept = AuditEvent.objects.filter(tag="operator_refused", subject=key[0])
    assert [(event.outcome, event.actor_kind) for event in kept] == [("refused", "visitor")]


@pytest.mark.parametrize("name", ["AKIAUNKNOWNUNKNOWN22", "", "\x00", "é" * 20, "x" * 5000])
def test_an_unknown_key_is_refused(key: tuple[str, str], name: str) -> None:
    call = signed(key)
    header = call.headers["authorization"].replace(key[0], name)

    code, text = refusal(replace(call, headers={**call.headers, "authorization": header}))

    assert (code, text) == ("UnrecognizedClientException", "The security token included in the request is invalid.")


def test_a_disabled_key_is_refused_at_once(key: tuple[str, str]) -> None:
    call = signed(key)
    assert callers.operator(call, "cognito-idp").by.kind == "operator"

    operators.disable_key(key[0], by=Actor.system())

    assert refusal(call)[0] == "UnrecognizedClientException"


def test_the_key_of_a_disabled_operator_is_refused_at_once(key: tuple[str, str]) -> None:
    call = signed(key)
    assert callers.operator(call, "cognito-idp").by.kind == "operator"

    operators.set_active(operators.operator("ada"), False, by=Actor.system())

    assert refusal(call)[0] == "UnrecognizedClientException"


def test_temporary_credentials_are_not_ours(key: tuple[str, str]) -> None:
    assert refusal(signed(key, session_token="token"))[0] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("scope", "word"),
    [({"region": "eu-west-1"}, "region"), ({"service": "cognito-identity"}, "service"), ({"service": "s3"}, "service")],
)
def test_a_signature_for_elsewhere_is_refused(key: tuple[str, str], scope: dict[str, str], word: str) -> None:
    code, text = refusal(signed(key, **scope))

    assert code == "InvalidSignatureException"
    assert word in text


@pytest.fixture
def noon() -> Iterator[datetime]:
    """Stop the clock."""
    moment = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    with time_machine.travel(moment, tick=False):
        yield moment


@pytest.mark.parametrize(("minutes", "accepted"), [(-16, False), (-14, True), (14, True), (16, False)])
def test_a_signature_is_good_for_a_quarter_of_an_hour(
    key: tuple[str, str], noon: datetime, minutes: int, accepted: bool
) -> None:
    with time_machine.travel(noon + timedelta(minutes=minutes), tick=False):
        call = signed(key)

    if accepted:
        assert callers.operator(call, "cognito-idp").by.kind == "operator"
    else:
        code, text = refusal(call)
        assert code == "InvalidSignatureException"
        assert text.startswith("Signature expired" if minutes < 0 else "Signature not yet current")


def test_the_day_of_the_scope_is_the_day_of_the_date(key: tuple[str, str], noon: datetime) -> None:
    call = signed(key)

    later = {**call.headers, "x-amz-date": (noon + timedelta(days=1)).strftime(callers.STAMP)}

    assert refusal(replace(call, headers=later))[0] == "InvalidSignatureException"


@pytest.mark.parametrize("stamp", ["", "yesterday", "20261121", "99999999T999999Z"])
def test_a_date_that_is_none_is_incomplete(key: tuple[str, str], stamp: str) -> None:
    call = signed(key)

    code, _ = refusal(replace(call, headers={**call.headers, "x-amz-date": stamp}))

    assert code == "IncompleteSignatureException"


@pytest.mark.parametrize("name", ["host", "x-amz-target", "x-amz-date"])
def test_what_decides_must_be_signed(key: tuple[str, str], name: str) -> None:
    call = signed(key)
    header = call.headers["authorization"].replace(f"{name};", "").replace(f";{name}", "")

    code, text = refusal(replace(call, headers={**call.headers, "authorization": header}))

    assert (code, text) == ("InvalidSignatureException", f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def test_a_signed_header_that_was_not_sent_is_refused(key: tuple[str, str]) -> None:
    call = signed(key, **{"X-Amz-Custom": "a"})

    without = {name: value for name, value in call.headers.items() if name != "x-amz-custom"}

    assert refusal(replace(call, headers=without))[0] == "InvalidSignatureException"


def test_no_signature_is_missing_and_half_a_one_incomplete(key: tuple[str, str]) -> None:
    call = signed(key)
    bare = {name: value for name, value in call.headers.items() if name != "authorization"}

    halves = ("Bearer x", "Basic eDp5", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b", "AWS4-HMAC-SHA256 ,,=")
    missing = ("MissingAuthenticationTokenException", "Missing Authentication Token")

    assert refusal(replace(call, headers=bare)) == missing
    for header in halves:
        assert refusal(replace(call, headers={**bare, "authorization": header}))[0] == "IncompleteSignatureException"


@walk(100)
@given(header=st.text(max_size=300) | st.from_regex(r"AWS4-HMAC-SHA256 (\w+=[^,]*,? ?){0,5}", fullmatch=True))
def test_no_authorization_header_breaks_the_check(key: tuple[str, str], header: str) -> None:
    call = signed(key)

    code, _ = refusal(replace(call, headers={**call.headers, "authorization": header}))

    assert code.endswith("Exception")
