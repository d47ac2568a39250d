"""Who sent a wire request: an operator, by AWS Signature Version 4, or nobody.

Access tokens travel in the body and are the services' to verify. What an access key may do is decided by its
limits, in one place: :func:`authorize`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from django.conf import settings

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.call import Call
from pools.cognito.contract import Operation
from pools.cognito.faults import Fault
from pools.services.operators import operators
from pools.services.operators.operators import AccessKeyView

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
STAMP = "%Y%m%dT%H%M%SZ"
PART = re.compile(r"\s*([A-Za-z]+)\s*=\s*([^\s,]+)\s*")
HEX = re.compile(r"[0-9a-f]{64}")
POOLS = ("UserPoolId", "IdentityPoolId", "ResourceArn")
"""Members of operations that name a pool: all that a request names must be on a key's list."""
MUST_BE_SIGNED = ("host", "x-amz-target")
"""Without the target, a stranger in the middle could turn one operation into another."""
DOES_NOT_MATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed Authorization header."""

    key_id: str
    day: str
    region: str
    service: str
    ending: str
    headers: tuple[str, ...]
    value: str

    @property
    def scope(self) -> str:
        """Return the scope as it is signed."""
        return f"{self.day}/{self.region}/{self.service}/{self.ending}"


def visitor(call: Call) -> Actor:
    """Return the caller of an operation that asks for no signature; one that is sent all the same is not looked at."""
    return replace(Actor.visitor(address=call.address, request_id=call.request_id), is_api=True)


class Signer(NamedTuple):
    """Who signed a request, and with which key."""

    by: Actor
    key: AccessKeyView


def operator(call: Call, service: str) -> Signer:
    """Return the operator whose access key signed the request.

    Raises:
        Fault: there is no signature, or it is not right.

    """
    signature = parse(call.headers.get("authorization", ""))
    check_scope(signature, service)
    stamp = check_moment(call, signature)
    check_signed_headers(call, signature)
    if "x-amz-security-token" in call.headers:
        raise unrecognised()  # access keys of operators are permanent and have none
    key = operators.authenticate_key(signature.key_id)
    if key is None:
        raise unrecognised()
    expected = sign(key.secret, signature, stamp, canonical(call, signature.headers))
    if not hmac.compare_digest(expected, signature.value):
        operators.refuse_key(key.id, by=visitor(call))
        raise Fault("InvalidSignatureException", DOES_NOT_MATCH)
    operators.key_used(key)
    by = Actor.operator(key.operator_id, address=call.address, request_id=call.request_id)
    return Signer(replace(by, is_api=True), key)


def authorize(key: AccessKeyView, operation: Operation, given: Mapping[str, Any]) -> None:
    """Refuse what an access key may not do. A pool is named by its id, or in an ARN; what names none is on none.

    Of what was given, only members that the operation has: it reads no other, so that no other says what it is about.

    Raises:
        Fault: it is not on the key's lists.

    """
    action = f"{operation.service.name}:{operation.name}"
    own = [name for name in POOLS if name in operation.members]
    for named in [str(given[name]) for name in own if given.get(name) is not None] or [""]:
        if not key.limits.allow(action, named.rpartition("/")[2]):
            who = f"arn:aws:iam::{settings.ACCOUNT_ID}:user/{key.username}"
            text = f"User: {who} is not authorized to perform: {action} on resource: {resource(named)}"
            raise Fault("AccessDeniedException", f"{text} because no identity-based policy allows the {action} action")


def resource(named: str) -> str:
    """Return the ARN of a pool as it was named."""
    if not named or named.startswith("arn:"):
        return named or "*"
    return names.identity_pool_arn(named) if ":" in named else names.pool_arn(named)


def unrecognised() -> Fault:
    """Return the answer to an unknown key."""
    return Fault("UnrecognizedClientException", "The security token included in the request is invalid.")


def parse(header: str) -> Signature:
    """Read the Authorization header.

    Raises:
        Fault: missing, of another kind, or incomplete.

    """
    if not header:
        raise Fault("MissingAuthenticationTokenException", "Missing Authentication Token")
    kind, _, rest = header.strip().partition(" ")
    found = [PART.fullmatch(part) for part in rest.split(",")] if kind == ALGORITHM else []
    parts = {part[1]: part[2] for part in found if part}
    lacking = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in parts]
    if lacking:
        texts = " ".join(f"Authorization header requires '{name}' parameter." for name in lacking)
        raise Fault("IncompleteSignatureException", texts)
    # An access key id holds no slash.
    scope = parts["Credential"].split("/")
    if len(scope) != 5:  # noqa: PLR2004 - key, day, region, service, ending
        raise Fault("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements.")
    key_id, day, region, service, ending = scope
    headers = tuple(parts["SignedHeaders"].lower().split(";"))
    if not HEX.fullmatch(parts["Signature"]):
        raise Fault("InvalidSignatureException", DOES_NOT_MATCH)
    return Signature(key_id, day, region, service, ending, headers, parts["Signature"])


def check_scope(signature: Signature, service: str) -> None:
    """Check that the signature is for this service, region and protocol.

    Raises:
        Fault: it is for another.

    """
    if signature.region != settings.REGION:
        raise Fault("InvalidSignatureException", f"Credential should be scoped to a valid region: '{settings.REGION}'.")
    if signature.service != service:
        raise Fault("InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'.")
    if signature.ending != "aws4_request":
        raise Fault("InvalidSignatureException", "Credential should be scoped with a valid terminator: 'aws4_request'.")


def moment(call: Call) -> datetime | None:
    """Return when the request says it was signed."""
    try:
        if stamp := call.headers.get("x-amz-date"):
            return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
        if date := call.headers.get("date"):
            return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None


def check_moment(call: Call, signature: Signature) -> str:
    """Check that the signature is fresh; return its moment as it is signed.

    Raises:
        Fault: no date, another day than the scope's, too old or too new.

    """
    signed = moment(call)
    if signed is None:
        raise Fault(
            "IncompleteSignatureException",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    stamp = signed.strftime(STAMP)
    if stamp[:8] != signature.day:
        raise Fault(
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        )
    now = clock.now()
    if signed < now - SKEW:
        past = f"{(now - SKEW).strftime(STAMP)} ({now.strftime(STAMP)} - 15 min.)"
        raise Fault("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {past}")
    if signed > now + SKEW:
        ahead = f"{(now + SKEW).strftime(STAMP)} ({now.strftime(STAMP)} + 15 min.)"
        raise Fault("InvalidSignatureException", f"Signature not yet current: {stamp} is still later than {ahead}")
    return stamp


def check_signed_headers(call: Call, signature: Signature) -> None:
    """Check that what must be signed is, and that each signed header was sent.

    Raises:
        Fault: one is missing.

    """
    dated = "x-amz-date" if "x-amz-date" in call.headers else "date"
    for name in (*MUST_BE_SIGNED, dated):
        if name not in signature.headers:
            raise Fault("InvalidSignatureException", f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    if any(name not in call.headers for name in signature.headers):
        raise Fault("InvalidSignatureException", DOES_NOT_MATCH)
    claimed = call.headers.get("x-amz-content-sha256")
    if claimed is not None and claimed != hashlib.sha256(call.body or b"").hexdigest():
        raise Fault("InvalidSignatureException", DOES_NOT_MATCH)


def canonical(call: Call, headers: tuple[str, ...]) -> str:
    """Return the canonical request."""
    pairs = [part.partition("=") for part in call.query.split("&") if part]
    query = sorted((encoded(name), encoded(value)) for name, _, value in pairs)
    ordered = sorted(set(headers))
    return "\n".join(
        (
            call.method,
            quote(call.raw_path, safe="/~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(call.headers[name].split())}" for name in ordered),
            "",
            ";".join(ordered),
            hashlib.sha256(call.body or b"").hexdigest(),
        )
    )


def encoded(part: str) -> str:
    """Return a part of a query string in the one form that is signed."""
    return quote(unquote(part), safe="-_.~")


def sign(secret: str, signature: Signature, stamp: str, request: str) -> str:
    """Return the signature that the request should have."""
    key = f"AWS4{secret}".encode()
    for part in (signature.day, signature.region, signature.service, signature.ending):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join((ALGORITHM, stamp, signature.scope, hashlib.sha256(request.encode()).hexdigest()))
    return hmac.digest(key, text.encode(), "sha256").hex()
