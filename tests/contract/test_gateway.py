"""The form of every answer: JSON, headers, codes; whatever is sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from identity.foundation import gate, sealing
from identity.foundation.actor import Actor
from identity.foundation.call import Answer, Call
from pools.cognito import constraints
from pools.cognito import gateway as module
from pools.cognito.contract import Operation, user_pools
from pools.cognito.gateway import gateway
from pools.models import AppClient
from pools.services import configuration
from tests.contract.conftest import PASSWORD, Place, Wire, make_place, sign_in

TARGET = "AWSCognitoIdentityProviderService."


def bare(target: str = "", body: bytes = b"{}", method: str = "POST", **headers: str) -> Call:
    """Return an unsigned request."""
    named = {"x-amz-target": target} if target else {}
    return Call(method, "/", "", {**named, **headers}, body, "10.0.0.1", "request-1")


def error_of(answer: Answer) -> tuple[int, str, str]:
    """Return status, code and text of an error, after its form was checked."""
    body = json.loads(answer.body)
    assert set(body) == {"__type", "message"}
    assert answer.headers["x-amzn-ErrorType"] == body["__type"] + ":"
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-amzn-RequestId"]
    assert answer.headers["x-amzn-ErrorMessage"].isprintable()
    assert "\n" not in answer.headers["x-amzn-ErrorMessage"]
    return answer.status, body["__type"], body["message"]


def test_a_preflight_allows_what_browsers_clients_send() -> None:
    answer = gateway(bare(method="OPTIONS", origin="https://app.example"))

    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {
        *("content-type", "x-amz-target", "x-amz-user-agent", "amz-sdk-invocation-id", "amz-sdk-request"),
        *("cache-control", "authorization", "x-amz-date", "x-amz-security-token"),
    }
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "call",
    [
        bare(),
        bare("nonsense"),
        bare(TARGET),
        bare(TARGET + "NoSuchThing"),
        bare("AWSCognitoIdentityService.SignUp"),
        bare("awscognitoidentityproviderservice.SignUp"),
        bare(TARGET + "SignUp", method="PUT"),
        bare(method="GET"),
    ],
)
def test_an_operation_that_is_none_is_unknown(call: Call) -> None:
    status, code, _ = error_of(gateway(call))

    assert (status, code) == (400, "UnknownOperationException")


def test_a_person_at_the_bare_address_finds_the_demo(settings: Settings) -> None:
    settings.DEMO = True

    answer = gateway(bare(method="GET"))

    assert (answer.status, answer.headers["location"]) == (302, "/demo/")


@pytest.mark.parametrize("body", [None, b" " * (1 << 20) + b"{}"], ids=["not read", "over the cap"])
def test_a_body_too_large_is_refused_in_json(body: bytes | None) -> None:
    status, code, _ = error_of(gateway(replace(bare(TARGET + "SignUp"), body=body)))

    assert (status, code) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b"\xff\xfe",
        b"{'a': 1}",
        b'{"ClientId": NaN}',
        b'{"ClientId": ' + b"9" * 5000 + b"}",
        b'{"a":' * 100_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"ClientId": "\\ud800", "Username": "u"}',
        b'{"ClientId": "a\\u0000", "Username": "u"}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    assert error_of(gateway(bare(TARGET + "SignUp", body)))[:2] == (400, "SerializationException")


@pytest.mark.parametrize(
    "members",
    [
        {"UserAttributes": [{"Name": "\u200b" * 32}] * 8000},
        {"UserAttributes": [None] * 100_000},
        {"ClientMetadata": {str(number): "x" * 2000 for number in range(300)}},
        {"ValidationData": [{"Name": "n" * 300, "Value": "v" * 500_000}]},
        {"Username": "ä" * 400_000, "ClientId": "\x7f" * 90},
        {"ClientId": "\u2028" * 100},
    ],
    ids=["members", "nulls", "a map", "a long name", "long texts", "unprintable"],
)
def test_a_refusal_is_small_however_much_is_wrong(members: dict[str, Any]) -> None:
    body = json.dumps(members, ensure_ascii=False).encode()
    began = time.thread_time()

    answer = gateway(bare(TARGET + "SignUp", body))

    assert time.thread_time() - began < 0.5
    assert error_of(answer)[:2] == (400, "InvalidParameterException")
    assert len(answer.body) < 4 * 4096 + 100
    assert len(answer.headers["x-amzn-ErrorMessage"]) <= 512


def test_the_first_twenty_complaints_are_told() -> None:
    text = error_of(gateway(bare(TARGET + "SignUp", json.dumps({"UserAttributes": [{}] * 400}).encode())))[2]

    assert text.startswith("20 validation errors detected: Value null at 'userAttributes.1.member.name' failed")


def test_a_value_is_quoted_as_far_as_it_is_told() -> None:
    nested = {"SetIdentityPoolRoles": {"IdentityPoolId": "x", "Roles": {"authenticated": "a" * 900_000}}}
    assert len(constraints.shown(nested)) == 256 + len("...")
    assert constraints.shown({"a": [1, None, True], "b": {"c": "d"}}) == "{a=[1, null, true], b={c=d}}"


def test_an_empty_body_is_an_empty_object() -> None:
    status, code, text = error_of(gateway(bare(TARGET + "SignUp", b"")))

    assert (status, code) == (400, "InvalidParameterException")
    assert text.startswith("2 validation errors detected: ")


def test_signed_operations_ask_for_a_signature_and_public_ones_do_not_look_at_it(place: Place) -> None:
    public = json.dumps({"AccessToken": place.tokens["AccessToken"]}).encode()

    assert error_of(gateway(bare(TARGET + "ListUserPools")))[1] == "MissingAuthenticationTokenException"
    for header in ("", "Bearer " + place.tokens["AccessToken"], "AWS4-HMAC-SHA256 nonsense"):
        assert gateway(bare(TARGET + "GetUser", public, authorization=header)).status == 200


def test_every_operation_that_amazon_signs_is_refused_unsigned() -> None:
    for name, operation in user_pools.operations.items():
        answer = gateway(bare(TARGET + name))

        if not operation.is_public:
            assert error_of(answer)[1] == "MissingAuthenticationTokenException", name


def test_an_operation_of_a_later_release_says_so(wire: Wire) -> None:
    for name, operation in user_pools.operations.items():
        if operation.handler is None:
            assert wire.refusal(name) == ("InvalidParameterException", f"{name} is not available in this release.")


def test_an_operation_of_a_later_release_says_so_to_no_stranger() -> None:
    assert error_of(gateway(bare(TARGET + "AdminDeleteUser")))[1] == "MissingAuthenticationTokenException"


@pytest.fixture
def broken() -> Iterator[list[Exception]]:
    """Make GetUser raise what the list holds."""
    raised: list[Exception] = []
    whole = user_pools.operations["GetUser"]

    def handler(call: object, by: Actor) -> None:
        raise raised[0]

    user_pools.operations["GetUser"] = Operation("GetUser", user_pools, whole.model, handler)
    yield raised
    user_pools.operations["GetUser"] = whole


@pytest.mark.parametrize(
    "failure",
    [RuntimeError("secret internals"), sealing.Unsealable(detail="secret internals"), KeyError("secret internals")],
    ids=repr,
)
def test_a_failure_of_our_own_tells_nothing_of_itself(broken: list[Exception], failure: Exception) -> None:
    broken.append(failure)

    answer = gateway(bare(TARGET + "GetUser", b'{"AccessToken": "x"}'))

    status, code, text = error_of(answer)
    assert (status, code) == (500, "InternalErrorException")
    assert text == "The service could not complete the request."


def test_a_failure_of_our_own_is_called_as_the_operation_declares_it(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(call: object, by: Actor) -> None:
        raise RuntimeError

    name = "ListUserPoolClientSecrets"
    broken = Operation(name, user_pools, user_pools.operations[name].model, fail)
    monkeypatch.setitem(user_pools.operations, name, broken)

    answer = wire.raw(name, json.dumps({"UserPoolId": "us-east-1_abcdefghi", "ClientId": "a"}).encode())

    assert error_of(answer)[:2] == (500, "InternalServerException")


def test_an_error_with_odd_characters_keeps_its_header_clean(wire: Wire) -> None:
    answer = wire.raw("CreateUserPool", json.dumps({"PoolName": "ä\r\nSet-Cookie: x=1\r\n中" * 20}).encode())

    status, code, text = error_of(answer)
    assert (status, code) == (400, "InvalidParameterException")
    assert "中" in text
    assert len(answer.headers["x-amzn-ErrorMessage"]) <= 512


def test_moments_are_epoch_seconds(wire: Wire) -> None:
    pool = wire.ask("CreateUserPool", PoolName="test")["UserPool"]

    assert isinstance(pool["CreationDate"], float)


def test_an_answer_that_breaks_amazons_model_is_caught_in_tests(
    monkeypatch: pytest.MonkeyPatch, place: Place, settings: Settings
) -> None:
    monkeypatch.setattr("pools.cognito.challenges.mfa", lambda *_: {"Shoe": 43})
    body = json.dumps({"AccessToken": place.tokens["AccessToken"]}).encode()

    assert gateway(bare(TARGET + "GetUser", body)).status == 500
    settings.WIRE_RESPONSE_CHECKS = False
    assert gateway(bare(TARGET + "GetUser", body)).status == 200


def test_an_address_that_floods_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.QUOTA, "SignUp", 3)
    call = replace(bare(TARGET + "SignUp"), address="10.9.9.9")

    codes = [error_of(gateway(call))[1] for _ in range(5)]

    assert codes == ["InvalidParameterException"] * 3 + ["TooManyRequestsException"] * 2
    assert gateway(call).headers["retry-after"] == "60"
    assert error_of(gateway(replace(call, address="10.9.9.8")))[1] == "InvalidParameterException"


@pytest.fixture
def full_gate(settings: Settings) -> Iterator[None]:
    """Keep the hash gate's slot, and allow nobody to wait."""
    settings.HASH_WAITERS = 0
    gate.the_gate.cache_clear()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        gate.the_gate().enter("other")
        held.set()
        done.wait()
        gate.the_gate().leave()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    done.set()
    thread.join()
    gate.the_gate.cache_clear()


def test_a_sign_in_that_finds_the_gate_full_is_refused_at_once(place: Place, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("full_gate")
    given = {"USERNAME": place.username, "PASSWORD": PASSWORD}
    body = json.dumps({"ClientId": place.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given}).encode()

    answer = gateway(bare(TARGET + "InitiateAuth", body))

    assert error_of(answer) == (400, "TooManyRequestsException", "Too many requests")
    assert answer.headers["retry-after"] == "1"


def warm(place: Place) -> None:
    """Let the process hold the pool, its client and keys, as it does a second after it started."""
    sign_in(place.wire, place.client, place.username)


def test_a_read_of_oneself_is_one_query(place: Place, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    warm(place)
    body = json.dumps({"AccessToken": place.tokens["AccessToken"]}).encode()

    with django_assert_num_queries(1):
        assert gateway(bare(TARGET + "GetUser", body)).status == 200


def test_a_refresh_is_one_query(place: Place, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    warm(place)
    given = {"REFRESH_TOKEN": place.tokens["RefreshToken"]}
    body = json.dumps({"ClientId": place.client, "AuthFlow": "REFRESH_TOKEN", "AuthParameters": given}).encode()

    with django_assert_num_queries(1):
        assert gateway(bare(TARGET + "InitiateAuth", body)).status == 200


@pytest.mark.parametrize("is_deleted", [False, True])
def test_tokens_of_a_deleted_app_are_refused_where_a_process_still_holds_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, is_deleted: bool
) -> None:
    warm(place)
    monkeypatch.setattr(configuration, "POLL", 60)
    refresh = {
        "ClientId": place.client,
        "AuthFlow": "REFRESH_TOKEN",
        "AuthParameters": {"REFRESH_TOKEN": place.tokens["RefreshToken"]},
    }
    asked = [("GetUser", {"AccessToken": place.tokens["AccessToken"]}), ("InitiateAuth", refresh)]
    if is_deleted:  # as another process does it
        AppClient.objects.filter(client_id=place.client).delete()

    answers = [gateway(bare(TARGET + name, json.dumps(body).encode())) for name, body in asked]

    if is_deleted:
        assert [error_of(answer)[1] for answer in answers] == ["NotAuthorizedException"] * 2
    else:
        assert [answer.status for answer in answers] == [200, 200]


def test_a_sign_in_reads_once_counts_once_and_writes_what_it_must(
    place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    warm(place)

    # Read, count the guess, read the person, and in one statement: forget the guesses, the family, the event.
    with django_assert_max_num_queries(4 + 2) as seen:
        sign_in(place.wire, place.client, place.username)

    statements = [query["sql"] for query in seen.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 4, statements


def test_an_account_is_made_by_four_statements(
    place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    warm(place)
    given = {"UserPoolId": place.pool, "Username": "new", "MessageAction": "SUPPRESS"}

    # The key and its use; whether the name is free; names and user, the password, the audit row; a savepoint's two.
    with django_assert_max_num_queries(2 + 4 + 2) as seen:
        place.wire.ask("AdminCreateUser", **given)

    writes = [query["sql"] for query in seen.captured_queries if "INSERT" in query["sql"]]
    assert len(writes) == 3, writes


def test_a_password_is_set_by_seven_statements(
    place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    warm(place)
    given = {"UserPoolId": place.pool, "Username": place.username, "Password": "Battery-staple-8", "Permanent": True}

    # The key and its use; the person, and again under a lock; the password, codes, status, guesses, the audit row.
    with django_assert_max_num_queries(2 + 7 + 2) as seen:
        place.wire.ask("AdminSetUserPassword", **given)

    assert sum("one_time_code" in query["sql"] for query in seen.captured_queries) == 1


def test_a_page_of_users_asks_as_much_for_many_as_for_one(
    place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        place.wire.ask("AdminCreateUser", UserPoolId=place.pool, Username=f"p{number}", MessageAction="SUPPRESS")
    warm(place)

    # The key, its use, and the page.
    with django_assert_max_num_queries(3):
        assert len(place.wire.ask("ListUsers", UserPoolId=place.pool)["Users"]) == 13


CROSSINGS: list[tuple[str, dict[str, Any], str]] = [
    ("DescribeUserPoolClient", {"UserPoolId": "here", "ClientId": "there"}, "ResourceNotFoundException"),
    ("AdminGetUser", {"UserPoolId": "here", "Username": "bob"}, "UserNotFoundException"),
    ("AdminGetUser", {"UserPoolId": "here", "Username": "sub of bob"}, "UserNotFoundException"),
    ("AdminConfirmSignUp", {"UserPoolId": "here", "Username": "bob"}, "UserNotFoundException"),
    (
        "AdminSetUserPassword",
        {"UserPoolId": "here", "Username": "bob", "Password": "Stolen-horse-7", "Permanent": True},
        "UserNotFoundException",
    ),
    (
        "AdminCreateUser",
        {"UserPoolId": "here", "Username": "bob", "MessageAction": "RESEND"},
        "UserNotFoundException",
    ),
    (
        "AdminInitiateAuth",
        {
            "UserPoolId": "here",
            "ClientId": "there",
            "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD},
        },
        "ResourceNotFoundException",
    ),
    (
        "AdminInitiateAuth",
        {
            "UserPoolId": "here",
            "ClientId": "here",
            "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD},
        },
        "UserNotFoundException",
    ),
    (
        "InitiateAuth",
        {
            "ClientId": "here",
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD},
        },
        "UserNotFoundException",
    ),
    (
        "InitiateAuth",
        {"ClientId": "here", "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": "of bob"}},
        "NotAuthorizedException",
    ),
    ("ForgotPassword", {"ClientId": "here", "Username": "bob"}, "UserNotFoundException"),
    (
        "ConfirmForgotPassword",
        {"ClientId": "here", "Username": "bob", "ConfirmationCode": "123456", "Password": "Stolen-horse-7"},
        "UserNotFoundException",
    ),
    ("ConfirmSignUp", {"ClientId": "here", "Username": "bob", "ConfirmationCode": "1"}, "UserNotFoundException"),
    ("ResendConfirmationCode", {"ClientId": "here", "Username": "bob"}, "UserNotFoundException"),
]


def test_nothing_of_another_pool_is_found_or_changed(wire: Wire) -> None:
    here, there = make_place(wire, "ana"), make_place(wire, "bob")
    before = wire.ask("AdminGetUser", UserPoolId=there.pool, Username="bob")
    sub = next(item["Value"] for item in before["UserAttributes"] if item["Name"] == "sub")
    meanings: dict[str, dict[str, Any]] = {
        "UserPoolId": {"here": here.pool},
        "ClientId": {"here": here.client, "there": there.client},
        "Username": {"sub of bob": sub},
        "AuthParameters": {str({"REFRESH_TOKEN": "of bob"}): {"REFRESH_TOKEN": there.tokens["RefreshToken"]}},
    }

    for operation, given, code in CROSSINGS:
        filled = {name: meanings.get(name, {}).get(str(value), value) for name, value in given.items()}

        assert (operation, wire.refusal(operation, **filled)[0]) == (operation, code)

    assert wire.ask("AdminGetUser", UserPoolId=there.pool, Username="bob") == before
    assert sign_in(wire, there.client, "bob")["AuthenticationResult"]
