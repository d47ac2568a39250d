"""Whether a request may reach moto, which itself lets everybody in. No signature is checked here either.

Four rules: the host name is one of this machine (a page whose name server suddenly answers 127.0.0.1 has another);
without keys nothing changes; a page's keys for S3 were given out by this STS; the other services answer pages of this
machine alone, IAM none. moto's own API is no service, so that nobody reaches it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData
from werkzeug.wsgi import get_input_stream

from identity.embedded.aws import cors

Environ = dict[str, Any]
V4 = re.compile(r"AWS4-HMAC-SHA256\s+(?=.*\bSignature=\w)(?:.*[\s,])?Credential=([^/\s,]+)/\d{8}/[\w-]+/([\w-]+)/")
V2 = re.compile(r"AWS\s+([^:\s]+):\S")
CREDENTIAL = re.compile(r"([^/]+)/\d{8}/[\w-]+/([\w-]+)/aws4_request")
UNSIGNED = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})
FORM_ROOM = 1 << 20
"""Most bytes of a form that is looked into: of an STS request, or before the file of an upload (S3 allows 20 kB)."""
LARGEST = 5 << 30
"""Most bytes that S3 takes in one upload."""
READS = frozenset({"GET", "HEAD"})


class Refusal(Exception):
    """Why a request does not reach moto, in the terms of AWS."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        """Know status, code and words."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def denied(message: str) -> Refusal:
    """Return a refusal as S3 words it."""
    return Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", message)


class Keys(NamedTuple):
    """Whose keys a request names, and for which service."""

    key_id: str
    service: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is, as far as admission looks."""

    service: str
    key_id: str
    """Empty: it has no keys."""
    page: str
    """The origin of the page that sent it; ``null`` where a browser keeps it to itself; empty: no page did."""


def check_host(environ: Environ) -> None:
    """Refuse names that a name server could have pointed here.

    Raises:
        Refusal: the Host header, or the absolute target, names another host.

    """
    try:
        name = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname or ""
    except ValueError:
        name = ""
    if not cors.is_own_name(name):
        raise denied("The demo's AWS answers to localhost and 127.0.0.1 alone.")


def read(environ: Environ) -> Asked:
    """Return what a request is; a form's body that had to be read is put back.

    Raises:
        Refusal: its form is larger than any that counts.

    """
    page = environ.get("HTTP_ORIGIN", "")
    if not page and environ.get("HTTP_SEC_FETCH_SITE", "none") != "none":
        page = "null"
    keys = header_keys(environ) or query_keys(environ)
    if keys:
        return Asked(keys.service, keys.key_id, page)
    if environ["REQUEST_METHOD"] != "POST":
        return Asked("s3", "", page)
    kind, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    if kind == "application/x-www-form-urlencoded" and environ["PATH_INFO"] == "/":
        return Asked("sts" if action(environ) in UNSIGNED else "s3", "", page)
    if kind == "multipart/form-data":
        return Asked("s3", upload_key(environ, options.get("boundary", "")), page)
    return Asked("s3", "", page)


def header_keys(environ: Environ) -> Keys | None:
    """Return the keys of the Authorization header."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if found := V4.match(authorization):
        return Keys(found[1], found[2].lower())
    if found := V2.match(authorization):
        return Keys(found[1], "s3")
    return None


def query_keys(environ: Environ) -> Keys | None:
    """Return the keys of a presigned address."""
    query = first_of(environ.get("QUERY_STRING", ""))
    found = CREDENTIAL.fullmatch(query.get("X-Amz-Credential", ""))
    if found and query.get("X-Amz-Signature"):
        return Keys(found[1], found[2].lower())
    if query.get("AWSAccessKeyId") and query.get("Signature"):
        return Keys(query["AWSAccessKeyId"], "s3")
    return None


def first_of(encoded: str) -> dict[str, str]:
    """Return each field's first value."""
    return {name: values[0] for name, values in parse_qs(encoded).items()}


def action(environ: Environ) -> str:
    """Return the action that a form names."""
    body = get_input_stream(environ).read(FORM_ROOM + 1)
    if len(body) > FORM_ROOM:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "EntityTooLarge", "The form is too large.")
    put_back(environ, body)
    return first_of(body.decode(errors="replace")).get("Action", "")


def upload_key(environ: Environ, boundary: str) -> str:
    """Return the key id of a form upload, whose fields come before its file."""
    stream = get_input_stream(environ)
    seen = bytearray()
    fields: dict[str, str] = {}
    latest = ""
    decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=FORM_ROOM)
    try:
        for event in events(decoder, stream, seen):
            match event:
                case Field(name=name):
                    latest = (name or "").lower()
                    fields[latest] = ""
                case Data(data=data):
                    fields[latest] += data.decode(errors="replace")
                case File() | Epilogue():
                    break
    except ValueError as problem:
        raise Refusal(HTTPStatus.BAD_REQUEST, "MalformedPOSTRequest", "The form cannot be read.") from problem
    put_back(environ, bytes(seen), stream)
    found = CREDENTIAL.fullmatch(fields.get("x-amz-credential", ""))
    if not fields.get("policy"):
        return ""
    if found and fields.get("x-amz-signature"):
        return found[1]
    return fields.get("awsaccesskeyid", "") if fields.get("signature") else ""


def events(decoder: MultipartDecoder, stream: IO[bytes], seen: bytearray) -> Iterable[Event]:
    """Yield the parts of a form as they come, and keep every byte that was read."""
    while True:
        event = decoder.next_event()
        if not isinstance(event, NeedData):
            yield event
            continue
        data = stream.read(1 << 16)
        if len(seen) > FORM_ROOM:
            raise ValueError("no file within the room for fields")
        seen += data
        decoder.receive_data(data or None)


class Rejoined(io.RawIOBase):
    """A stream that begins with what was read of it already."""

    def __init__(self, begun: bytes, rest: IO[bytes] | None) -> None:
        """Know both."""
        super().__init__()
        self.begun, self.rest = io.BytesIO(begun), rest

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Fill a buffer; return how much."""
        data = self.begun.read(len(buffer)) or (self.rest.read(len(buffer)) if self.rest else b"")
        buffer[: len(data)] = data
        return len(data)


def put_back(environ: Environ, begun: bytes, rest: IO[bytes] | None = None) -> None:
    """Let the application read a body from its beginning."""
    environ["wsgi.input"] = io.BufferedReader(Rejoined(begun, rest))
    environ["wsgi.input_terminated"] = True


def check(
    environ: Environ, asked: Asked, *, is_public: Callable[[Environ], bool], was_given: Callable[[str], bool]
) -> None:
    """Refuse what may not reach moto.

    ``is_public`` says whether anybody may read the object, ``was_given`` whether a key id was given out here.

    Raises:
        Refusal: it may not.

    """
    method = environ["REQUEST_METHOD"]
    if asked.service != "s3":
        check_service(environ, asked)
    elif not asked.key_id:
        # moto would let anybody write, list, and read what has no ACL.
        if method not in READS or environ.get("QUERY_STRING") or not is_public(environ):
            raise denied("Access Denied")
    elif asked.page and not was_given(asked.key_id):
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise Refusal(HTTPStatus.FORBIDDEN, "InvalidAccessKeyId", message)
    check_size(environ)


def check_service(environ: Environ, asked: Asked) -> None:
    """Refuse requests of STS, IAM and DynamoDB that could come from a page of somebody else's."""
    if asked.page and (asked.service == "iam" or not cors.is_of_this_machine(asked.page)):
        raise denied(f"{asked.service} answers no page of this origin.")
    if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != "/":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", f"{asked.service} answers POST / alone.")
    if asked.key_id and not header_keys(environ):
        raise denied(f"{asked.service} reads keys from the Authorization header alone.")


def check_size(environ: Mapping[str, Any]) -> None:
    """Refuse what S3 finds too large."""
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit()):
        raise Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", "The Content-Length is no number.")
    if int(length) > LARGEST:
        message = "Your proposed upload exceeds the maximum allowed size"
        raise Refusal(HTTPStatus.BAD_REQUEST, "EntityTooLarge", message)
