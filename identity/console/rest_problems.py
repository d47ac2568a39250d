"""What API views raise, as problem JSON (``problems``). One table from domain errors; nothing private leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext
from rest_framework import exceptions
from rest_framework.response import Response

from identity.console import wording
from identity.console.problems import CONTENT_TYPE, body
from identity.console.setting_names import operators_name
from identity.foundation import errors
from pools.services.providers.identity_providers import ProviderChanged

STATUS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.NotFound, 404),
    (errors.AlreadyExists, 409),
    (errors.LimitExceeded, 409),
    (errors.ResourceConflict, 409),
    (errors.PreconditionNotMet, 409),
    (errors.ImportInProgress, 409),
    (ProviderChanged, 409),
    (errors.TooManyAttempts, 429),
    (errors.Overloaded, 503),
    (errors.OutsideUnavailable, 503),
    (errors.NotAuthorized, 403),
    (errors.DomainError, 400),
)


def from_domain(problem: errors.DomainError) -> Response:
    """Turn a service's refusal into an answer."""
    status = next(status for kind, status in STATUS if isinstance(problem, kind))
    more: dict[str, Any] = {}
    if isinstance(problem, errors.Invalid) and problem.field:
        named = {"token": "cursor"}.get(problem.field) or operators_name(problem.field)
        more["errors"] = [{"field": named, "message": wording.of(problem), "code": problem.code}]
    headers = {"Retry-After": str(problem.retry_after)} if isinstance(problem, errors.Overloaded) else {}
    return answer(body(status, problem.class_code, wording.of(problem), **more), headers)


def answer(content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem from an API view."""
    return Response(content, status=content["status"], headers=dict(headers or {}), content_type=CONTENT_TYPE)


def handle(problem: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn what an API view raised into problem JSON; None for what nobody foresaw, which is logged as a failure."""
    del context
    if isinstance(problem, errors.DomainError):
        return from_domain(problem)
    if isinstance(problem, Http404):
        return answer(body(404, "not_found", gettext("There is nothing at this address.")))
    if isinstance(problem, PermissionDenied):
        return answer(body(403, "forbidden", gettext("Not allowed.")))
    if isinstance(problem, RequestDataTooBig):
        return answer(body(413, "too_large", gettext("The request is too large.")))
    if isinstance(problem, exceptions.ValidationError):
        named = [(field, detail) for field, detail in flat("", problem.detail) if detail]
        faults = [{"field": field, "message": str(detail), "code": detail.code} for field, detail in named]
        return answer(body(400, "invalid", gettext("The request is not valid."), errors=faults))
    if isinstance(problem, exceptions.APIException):
        headers = {}
        if auth := getattr(problem, "auth_header", None):
            headers["WWW-Authenticate"] = auth
        if (wait := getattr(problem, "wait", None)) is not None:
            headers["Retry-After"] = str(int(wait))
        return answer(body(problem.status_code, code_of(problem), str(problem.detail)), headers)
    return None


def code_of(problem: exceptions.APIException) -> str:
    """Return the code of one of the framework's own refusals."""
    code = problem.get_codes()
    return code if isinstance(code, str) else problem.default_code


def flat(path: str, detail: Any) -> list[tuple[str, exceptions.ErrorDetail]]:  # noqa: ANN401 - DRF's nested detail
    """Return a serializer's faults as pairs of dotted field and what is wrong."""
    if isinstance(detail, Mapping):
        named = [(f"{path}.{key}" if path else str(key), value) for key, value in detail.items()]
        return [pair for key, value in named for pair in flat("" if key == "non_field_errors" else key, value)]
    if isinstance(detail, list):
        return [pair for value in detail for pair in flat(path, value)]
    return [(path, detail)]
