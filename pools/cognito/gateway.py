"""The one address of both services: a request goes through a list of stages and comes out as AWS JSON 1.1.

Answers are JSON whatever happens, errors too. No stage knows a rule of pools.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from prometheus_client import Histogram

from identity.foundation import clock, connections, limits
from identity.foundation.actor import Actor
from identity.foundation.call import Answer, Call
from identity.foundation.errors import DomainError
from pools.cognito import callers, contract, faults, operations
from pools.cognito.contract import Operation, Reply
from pools.cognito.faults import Fault
from pools.services.operators.operators import AccessKeyView

del operations  # registered by being imported

BODY_CAP = 1 << 20
JSON_TYPE = "application/x-amz-json-1.1"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date",
}
PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": (
        "content-type, x-amz-target, x-amz-user-agent, amz-sdk-invocation-id, amz-sdk-request, cache-control, "
        "authorization, x-amz-date, x-amz-security-token, x-amz-content-sha256"
    ),
    "access-control-max-age": "172800",
}
QUOTA = {
    # Requests a minute from one address, for what strangers can make us write or send. Only sheds load: what each
    # person may try is counted in PostgreSQL.
    "SignUp": 600,
    "ConfirmSignUp": 600,
    "ResendConfirmationCode": 600,
    "ForgotPassword": 600,
    "ConfirmForgotPassword": 600,
    "GetId": 6000,
    "GetOpenIdToken": 6000,
    "GetCredentialsForIdentity": 6000,
}
UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
HEADER_CAP = 512
MESSAGE_CAP = 4096
SECONDS = Histogram("cognate_wire_seconds", "Wire requests by operation and answer.", ["operation", "answer"])
log = structlog.get_logger("wire")


@dataclass(slots=True)
class Exchange:
    """One request on its way through the stages."""

    call: Call
    began: float = field(default_factory=clock.monotonic)
    operation: Operation | None = None
    by: Actor | None = None
    key: AccessKeyView | None = None
    given: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    reply: Reply = None
    answer: Answer | None = None
    outcome: str = "ok"


def answer_preflight(exchange: Exchange) -> None:
    """Tell browsers that any page may call: nothing here goes by cookies."""
    if exchange.call.method == "OPTIONS":
        exchange.answer = Answer(200, b"", PREFLIGHT)


def redirect_browsers(exchange: Exchange) -> None:
    """Send a person who opened the bare address in a browser to the demo, where there is one."""
    if exchange.call.method in {"GET", "HEAD"} and settings.DEMO:
        exchange.answer = Answer(302, b"", {"location": "/demo/"})


def name_operation(exchange: Exchange) -> None:
    """Find the operation that ``X-Amz-Target`` names."""
    prefix, _, name = exchange.call.headers.get("x-amz-target", "").partition(".")
    service = contract.SERVICES.get(prefix)
    exchange.operation = service.operations.get(name) if service and exchange.call.method == "POST" else None
    if exchange.operation is None:
        raise Fault("UnknownOperationException", "The requested operation is not recognized by the service.")


def cap_body(exchange: Exchange) -> None:
    """Refuse a body larger than any that the model allows."""
    if exchange.call.body is None or len(exchange.call.body) > BODY_CAP:
        raise Fault("RequestEntityTooLargeException", f"The body is larger than {BODY_CAP} bytes.", status=413)


def identify_caller(exchange: Exchange) -> None:
    """Find out who calls: signatures where the model asks for one."""
    operation = exchange.operation
    assert operation is not None  # noqa: S101 - by the order of the stages
    if operation.is_public:
        exchange.by = callers.visitor(exchange.call)
    else:
        exchange.by, exchange.key = callers.operator(exchange.call, operation.service.name)


def take_from_quota(exchange: Exchange) -> None:
    """Shed load of an address that floods."""
    name = exchange.operation.name if exchange.operation else ""
    limit = QUOTA.get(name)
    if limit and not limits.take("wire-" + name, exchange.call.address, limit=limit, window=60):
        raise Fault("TooManyRequestsException", "Rate exceeded", headers={"retry-after": "60"})


def read_json(exchange: Exchange) -> None:
    """Read the body."""
    try:
        body = exchange.call.body or b"{}"
        given = DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError):  # ValueError: bad UTF-8, bad JSON, a number of thousands of digits
        raise Fault("SerializationException", "The body is not JSON.") from None
    if not isinstance(given, dict):
        raise Fault("SerializationException", "The body is not a JSON object.")
    exchange.given = given


def authorize(exchange: Exchange) -> None:
    """Refuse what the access key that signed may not do."""
    operation = exchange.operation
    if operation is not None and exchange.key is not None and not exchange.key.limits.are_none:
        callers.authorize(exchange.key, operation, exchange.given)


def refuse_constant(name: str) -> None:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def validate(exchange: Exchange) -> None:
    """Check the members by Amazon's model."""
    operation = exchange.operation
    assert operation is not None  # noqa: S101 - by the order of the stages
    if operation.handler is None:
        raise Fault("InvalidParameterException", f"{operation.name} is not available in this release.")
    exchange.members = operation.read(exchange.given)


def handle(exchange: Exchange) -> None:
    """Let the operation's handler do it."""
    operation, by = exchange.operation, exchange.by
    assert operation is not None and operation.handler is not None and by is not None  # noqa: S101, PT018
    exchange.reply = operation.handler(exchange.members, by)


def present(exchange: Exchange) -> None:
    """Write the reply as JSON."""
    operation, reply = exchange.operation, exchange.reply
    assert operation is not None  # noqa: S101 - by the order of the stages
    body = b"" if operation.model.output_shape is None and not reply else rendered(reply or {})
    if settings.WIRE_RESPONSE_CHECKS and (doubts := operation.doubts(body)):
        raise AssertionError(f"{operation.name} answers against Amazon's model: {'; '.join(doubts)}")
    exchange.answer = Answer(200, body, {"content-type": JSON_TYPE, "cache-control": "no-store"})


STAGES: tuple[Callable[[Exchange], None], ...] = (
    answer_preflight,
    redirect_browsers,
    name_operation,
    cap_body,
    identify_caller,
    take_from_quota,
    read_json,
    authorize,
    validate,
    handle,
    present,
)


def gateway(call: Call) -> Answer:
    """Answer a wire request."""
    exchange = Exchange(call)
    try:
        for stage in STAGES:
            stage(exchange)
            if exchange.answer is not None:
                break
    except Fault as fault:
        exchange.answer = refusal(exchange, fault)
    except DomainError as error:
        exchange.answer = refusal(exchange, translated(exchange, error))
    except connections.UNAVAILABLE as problem:
        operation = exchange.operation.name if exchange.operation else ""
        log.warning("wire_unavailable", operation=operation, **connections.described(problem))
        exchange.answer = refusal(exchange, internal(exchange.operation))
    except Exception:
        log.exception("wire_failed", operation=exchange.operation.name if exchange.operation else "")
        exchange.answer = refusal(exchange, internal(exchange.operation))
    return dressed(exchange)


def translated(exchange: Exchange, error: DomainError) -> Fault:
    """Return a refusal of ours in Amazon's words."""
    operation = exchange.operation
    found = faults.fault(operation.name, operation.errors, error) if operation else None
    if found is None:
        log.error("wire_failed", operation=operation.name if operation else "", error=repr(error), detail=error.detail)
        return internal(operation)
    if error.detail:
        log.info("wire_refused", operation=operation.name if operation else "", answer=found.code, detail=error.detail)
    return found


def internal(operation: Operation | None) -> Fault:
    """Return what is told of a failure of our own: nothing, by the exception that the operation declares."""
    return Fault(
        faults.own_failure(operation.errors if operation else ()), "The service could not complete the request."
    )


def refusal(exchange: Exchange, fault: Fault) -> Answer:
    """Write an error as both kinds of clients read it: code in body and header."""
    exchange.outcome = fault.code
    message = fault.message[:MESSAGE_CAP]
    return Answer(
        fault.status,
        rendered({"__type": fault.code, "message": message}),
        {
            "content-type": JSON_TYPE,
            "cache-control": "no-store",
            "x-amzn-ErrorType": fault.code + ":",
            "x-amzn-ErrorMessage": UNPRINTABLE.sub("?", " ".join(message[:HEADER_CAP].splitlines())),
            **fault.headers,
        },
    )


@cache
def seconds(operation: str, answer: str) -> Histogram:
    """Return what keeps the times of an operation with such an answer: both are names of the model's, or few."""
    return SECONDS.labels(operation, answer)


def dressed(exchange: Exchange) -> Answer:
    """Put on what every answer has, and take its time."""
    answer, call = exchange.answer, exchange.call
    assert answer is not None  # noqa: S101 - each way through the gateway makes one
    name = exchange.operation.name if exchange.operation else "-"
    seconds(name, exchange.outcome).observe(clock.monotonic() - exchange.began)
    log.debug("wire_answered", operation=name, answer=exchange.outcome, caller=exchange.by.kind if exchange.by else "")
    return Answer(answer.status, answer.body, {**CORS, "x-amzn-RequestId": call.request_id, **answer.headers})


def rendered(value: object) -> bytes:
    """Return a structure as AWS JSON 1.1: moments as epoch seconds, bytes as base64."""
    return ENCODER.encode(value).encode()


def scalar(value: object) -> object:
    """Return what JSON has for a value that it does not know."""
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


ENCODER = json.JSONEncoder(separators=(",", ":"), default=scalar, ensure_ascii=False)
