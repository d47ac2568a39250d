"""What Amazon's models mark as sensitive is told back to nobody, nor is anything below it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from identity.foundation.call import Call
from pools.cognito import operations
from pools.cognito.contract import SERVICES
from pools.cognito.faults import Fault
from pools.cognito.gateway import gateway

assert operations
HIDDEN = "hunter2"
DEEPEST = 6


def request_of(shape: Shape, text: str, *, secret: bool = False, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Return a request with that text wherever the model says sensitive, keys of maps included."""
    secret = secret or bool(shape.metadata.get("sensitive"))
    below: dict[str, Any] = {"secret": secret, "depth": depth + 1}
    match shape:
        case StructureShape():
            members = shape.members.items() if depth < DEEPEST else ()
            return {name: request_of(member, text, **below) for name, member in members}
        case ListShape():
            return [request_of(shape.member, text, **below)] * 2
        case MapShape():
            return {request_of(shape.key, text, **below): request_of(shape.value, text, **below)}
        case StringShape():
            return text if secret else "x"
    return {"boolean": True, "blob": "eA=="}.get(shape.type_name, 1)


@pytest.mark.parametrize("text", [f" {HIDDEN}\n\u00e9", HIDDEN * 20_000], ids=["odd", "long"])
def test_nothing_below_a_sensitive_shape_is_told_back(text: str) -> None:
    told, refused = set(), 0
    for service in SERVICES.values():
        for operation in service.operations.values():
            if (shape := operation.model.input_shape) is None:
                continue
            try:
                operation.read(request_of(shape, text))
            except Fault as fault:
                refused += 1
                told |= {operation.name} if HIDDEN in fault.message else set()

    assert refused > 50
    assert told == set()


@pytest.mark.parametrize(
    ("target", "given", "member"),
    [
        ("InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH"}, "AuthParameters"),
        ("RespondToAuthChallenge", {"ChallengeName": "NEW_PASSWORD_REQUIRED"}, "ChallengeResponses"),
    ],
)
@pytest.mark.parametrize("broken", [{"USERNAME": "long" * 40_000}, {HIDDEN * 20_000: "key"}], ids=["value", "key"])
def test_one_broken_member_of_a_sensitive_map_brings_none_of_it_back(
    target: str, given: dict[str, Any], member: str, broken: dict[str, str]
) -> None:
    body = {"ClientId": "client", **given, member: {"PASSWORD": HIDDEN, **broken}}
    headers = {"x-amz-target": f"AWSCognitoIdentityProviderService.{target}"}
    call = Call("POST", "/", "", headers, json.dumps(body).encode(), "127.0.0.1", "request")

    answer = gateway(call)

    assert answer.status == 400
    assert b"failed to satisfy constraint" in answer.body
    for told in (answer.body.decode(), *answer.headers.values()):
        assert HIDDEN not in told
        assert "long" not in told
