"""Where the CSV file of an import job is sent: PUT to the signed address that the job tells, answered as S3 does.

The body is read as it comes, never whole. What is kept of it is ``user_imports.uploads``' business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from identity.foundation import errors
from identity.foundation.call import MEASURED
from pools.services import access
from pools.services.user_imports import uploads

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'
FAULTS: tuple[tuple[type[errors.DomainError], int, str], ...] = (
    (errors.NotAuthorized, 403, "AccessDenied"),
    (errors.NotFound, 403, "AccessDenied"),
    (errors.PreconditionNotMet, 409, "OperationAborted"),
    (errors.Overloaded, 503, "SlowDown"),
    (errors.Invalid, 400, "InvalidRequest"),
)
SECONDS = re.compile(r"[0-9]{1,12}")
CODES = {"too_large": "EntityTooLarge", "incomplete": "IncompleteBody"}


def fault(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return an error in S3's form."""
    body = ERROR.format(code, escape(message))
    return HttpResponse(body, status=status, content_type="application/xml", headers=dict(headers or {}))


@csrf_exempt  # no cookie is asked for: the address is signed
def upload(request: HttpRequest, pool: str, job: str) -> HttpResponse:
    """Take the file of an import job."""
    if request.method != "PUT":
        return fault(405, "MethodNotAllowed", "The file is sent by PUT.", {"Allow": "PUT"})
    length, until = request.META.get("CONTENT_LENGTH") or "", request.GET.get("expires", "")
    if not length.isdecimal() or request.META.get(MEASURED):
        return fault(411, "MissingContentLength", "The length of the file has to be told before it.")
    try:
        uploads.receive(
            access.pool(pool),
            job,
            until=int(until) if SECONDS.fullmatch(until) else 0,
            signature=request.GET.get("signature", ""),
            length=int(length),
            read=lambda most: reading(request, most),
        )
    except errors.DomainError as refusal:
        status, code = next((status, code) for kind, status, code in FAULTS if isinstance(refusal, kind))
        code = CODES.get(getattr(refusal, "code", ""), code)
        wait = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, errors.Overloaded) else None
        return fault(status, code, refusal.message, wait)
    return HttpResponse(status=200)


def reading(request: HttpRequest, most: int) -> bytes:
    """Return what came next of the body; nothing where its sender is gone."""
    try:
        return request.read(most)
    except (UnreadablePostError, OSError):
        return b""
