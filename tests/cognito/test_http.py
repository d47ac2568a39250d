"""The wire as plain HTTP at the live installation: what clients other than boto3 see."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from time import sleep

from tests.cognito.conftest import PASSWORD, World
from tests.live import Live

TARGET = "AWSCognitoIdentityProviderService."


def send(
    live: Live, method: str = "POST", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers by lower-case name, and body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(live.base_url + "/", data=body, headers=named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def test_a_page_of_another_origin_may_sign_in(world: World) -> None:
    name = world.person()
    given = {"USERNAME": name, "PASSWORD": PASSWORD}
    body = {"ClientId": world.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given}

    asked = send(
        world.live,
        "OPTIONS",
        Origin="https://app.example",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="content-type,x-amz-target,x-amz-user-agent",
    )
    status, headers, raw = send(
        world.live,
        body=json.dumps(body).encode(),
        Origin="https://app.example",
        Content_Type="application/x-amz-json-1.1",
        X_Amz_Target=TARGET + "InitiateAuth",
    )

    assert asked[0] == 200
    assert asked[1]["access-control-allow-origin"] == "*"
    assert "x-amz-target" in asked[1]["access-control-allow-headers"]
    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["cache-control"] == "no-store"
    assert {"x-amzn-requestid", "x-amzn-errortype"} <= {
        exposed.strip().lower() for exposed in headers["access-control-expose-headers"].split(",")
    }
    assert json.loads(raw)["AuthenticationResult"]["TokenType"] == "Bearer"


def test_every_error_names_itself_in_header_and_body(live: Live) -> None:
    status, headers, raw = send(live, body=b"{}", X_Amz_Target=TARGET + "SignUp")

    assert status == 400
    assert headers["x-amzn-errortype"] == "InvalidParameterException:"
    assert headers["x-amzn-errormessage"].startswith("2 validation errors detected")
    assert len(headers["x-amzn-requestid"]) == 36
    assert json.loads(raw)["__type"] == "InvalidParameterException"


def test_what_is_no_request_is_answered_in_json_too(live: Live) -> None:
    huge = b'{"Username": "' + b"x" * (3 << 20) + b'"}'

    for body, headers, expected in (
        (b"", {}, "UnknownOperationException"),
        (b"<xml/>", {"X_Amz_Target": TARGET + "SignUp"}, "SerializationException"),
        (b"a=1&b=2", {"X_Amz_Target": TARGET + "SignUp"}, "SerializationException"),
        (huge, {"X_Amz_Target": TARGET + "SignUp"}, "RequestEntityTooLargeException"),
        (b"{}", {"X_Amz_Target": TARGET + "ListUserPools"}, "MissingAuthenticationTokenException"),
    ):
        status, _, raw = send(live, body=body, **headers)

        assert status in {400, 413}
        assert json.loads(raw)["__type"] == expected


def test_who_still_sends_a_body_that_is_too_large_hears_so(live: Live) -> None:
    length = 3 << 20
    said = {"Host": f"localhost:{live.port}", "Content-Length": length, "X-Amz-Target": f"{TARGET}SignUp"}
    head = "".join(["POST / HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in said.items()), "\r\n"])
    with socket.create_connection(("127.0.0.1", live.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"x" * (length // 2))
        sleep(1)  # long enough for an answer that waits for nothing
        connection.sendall(b"x" * (length - length // 2))
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"RequestEntityTooLargeException" in answer
