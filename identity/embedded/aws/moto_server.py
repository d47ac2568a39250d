"""The process of moto: a small proxy of our own in front of moto's applications, without a way around it.

``python -m identity.embedded.aws.moto_server PORT SERVICE ...`` listens on loopback. It makes the applications of
those services alone: not moto's own API, whose addresses (``/moto-api/reset``) any page could use, nor the others that
moto's dispatcher would find by a header. It answers preflights and adds CORS headers as S3 does, also to errors, which
a page could not read otherwise. What it stores is in memory.
"""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from moto.backends import get_backend
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from moto.utilities.utils import PARTITION_NAMES
from werkzeug.serving import make_server

from identity.embedded.aws import admission, cors
from identity.embedded.aws.admission import Asked, Environ, Refusal

Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
DROPPED = "HTTP_X_MOTO_"
"""moto's own headers: one of them chooses the account."""


class Proxy:
    """What stands in front of moto."""

    def __init__(self, services: Iterable[str]) -> None:
        """Make the applications of these services."""
        self.applications = {service: application(service) for service in services}

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer a request."""
        for name in [name for name in environ if name.startswith(DROPPED)]:
            del environ[name]
        allowed: cors.Headers = []
        asked = Asked("s3", "", "")
        try:
            admission.check_host(environ)
            if environ["REQUEST_METHOD"] == "OPTIONS":
                return self.preflight(environ, start)
            asked = admission.read(environ)
            allowed = self.readable_by(environ, asked)
            admission.check(environ, asked, is_public=is_public, was_given=was_given)
            return self.ask(environ, start, asked, allowed)
        except Refusal as refusal:
            return refuse(environ, start, asked.service, refusal, allowed)
        except Exception:  # noqa: BLE001 - whatever moto stumbles over, a page can read only an answer with CORS headers
            traceback.print_exc()
            message = "We encountered an internal error. Please try again."
            stumbled = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", message)
            return refuse(environ, start, asked.service, stumbled, allowed)

    def preflight(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer what a browser asks before a request; the key asked about may be missing."""
        origin, method = environ.get("HTTP_ORIGIN", ""), environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
        if not (origin and method):
            message = "Insufficient information. Origin request header needed."
            raise Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", message)
        asked = cors.question(origin, method, environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        bucket, _ = target(environ)
        rules = bucket_rules(bucket) if bucket else cors.service_rule(origin)
        headers = cors.preflight(rules or (), asked)
        if headers:
            start("200 OK", [*headers, ("Content-Length", "0")])
            return []
        reason = cors.NO_BUCKET if rules is None else cors.NOT_ALLOWED if rules else cors.NOT_ENABLED
        raise Refusal(HTTPStatus.FORBIDDEN, "AccessForbidden", reason)

    def readable_by(self, environ: Environ, asked: Asked) -> cors.Headers:
        """Return the headers that let the page which asked read the answer."""
        origin = environ.get("HTTP_ORIGIN", "")
        if not origin:
            return []
        if asked.service != "s3":
            return cors.on_answer(cors.service_rule(origin), origin, environ["REQUEST_METHOD"])
        return cors.on_answer(bucket_rules(target(environ)[0]) or (), origin, environ["REQUEST_METHOD"])

    def ask(self, environ: Environ, start: Start, asked: Asked, allowed: cors.Headers) -> Iterable[bytes]:
        """Hand the request to moto, and return its answer with our CORS headers in place of its own."""
        found = self.applications.get(asked.service)
        if found is None:
            raise Refusal(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", "The demo's AWS has no such service here.")

        def begin(status: str, headers: cors.Headers, problem: object = None) -> Any:  # noqa: ANN401 - WSGI's own
            kept = [pair for pair in headers if not pair[0].lower().startswith("access-control-")]
            return start(status, [*kept, *allowed], problem)

        return found(environ, begin)


def application(service: Any) -> Application:  # noqa: ANN401 - moto's own names
    """Return moto's application of a service. Keys of S3 may contain ``//``."""
    get_backend(service)
    made = create_backend_app(service)
    made.url_map.merge_slashes = False
    return made


def target(environ: Environ) -> tuple[str, str]:
    """Return bucket and key that a request is about: in its path, or the bucket in its host name."""
    path = str(environ.get("RAW_URI", environ["PATH_INFO"])).partition("?")[0]
    path = unquote(path if path.startswith("/") else urlsplit(path).path).removeprefix("/")
    name = urlsplit(f"//{environ['HTTP_HOST']}").hostname or ""
    if name.endswith(".localhost") and not name.startswith("localhost"):  # as moto tells them apart
        return name.removesuffix(".localhost"), path
    bucket, _, key = path.partition("/")
    return bucket, key


def bucket_rules(bucket: str) -> list[cors.Rule] | None:
    """Return a bucket's CORS rules; none at all where there is no such bucket."""
    found = bucket_named(bucket)
    if found is None:
        return None
    return [
        cors.Rule(
            tuple(rule.allowed_origins or ()),
            tuple(rule.allowed_methods or ()),
            tuple(rule.allowed_headers or ()),
            tuple(rule.exposed_headers or ()),
            str(rule.max_age_seconds or ""),
        )
        for rule in found.cors
    ]


def bucket_named(name: str) -> Any:  # noqa: ANN401 - moto's own
    """Return moto's bucket of a name, if there is one."""
    partition, account = s3_backends.bucket_accounts.get(name, ("", ""))
    return s3_backends[account][partition].buckets.get(name) if account else None


def is_public(environ: Environ) -> bool:
    """Say whether anybody may read the object: its ACL or its bucket's policy says so."""
    name, key = target(environ)
    bucket = bucket_named(name)
    found = bucket.keys.get(key) if bucket else None
    if found is None:
        return False
    allowed = bucket.get_permission("s3:GetObject", f"arn:aws:s3:::{name}/{key}")
    return allowed is PermissionResult.PERMITTED or bool(found.acl and found.acl.public_read)


def was_given(key_id: str) -> bool:
    """Say whether STS or IAM gave out this key since the start."""
    return any(
        key_id in account[partition].access_keys
        for account in list(iam_backends.values())
        for partition in PARTITION_NAMES
    )


def refuse(environ: Environ, start: Start, service: str, refusal: Refusal, allowed: cors.Headers) -> Iterable[bytes]:
    """Answer with an error in the service's own form."""
    error = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    kind = "application/xml"
    if service == "dynamodb":
        kind, body = "application/x-amz-json-1.0", json.dumps({"__type": refusal.code, "message": refusal.message})
    elif service == "s3":
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{error}</Error>'
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
    encoded = body.encode()
    length = ("Content-Length", str(len(encoded)))
    start(f"{refusal.status.value} {refusal.status.phrase}", [("Content-Type", kind), length, *allowed])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [encoded]


class Handler(MotoRequestHandler):
    """Reads HTTP and keeps quiet about requests."""

    def handle_expect_100(self) -> bool:
        """Leave the one answer to ``Expect: 100-continue`` to werkzeug, which gives it too."""
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the log is for what a person should read."""


def main(port: int, services: list[str]) -> None:
    """Listen until told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = make_server("127.0.0.1", port, Proxy(services), threaded=True, request_handler=Handler)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
