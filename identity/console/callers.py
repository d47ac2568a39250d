"""Who calls the management API, and how its description says so.

A call proves itself by an access key (``Authorization: Bearer ID.SECRET``, a header that no browser sends by itself)
or by an operator's session, whose writes need the CSRF token.
"""

from __future__ import annotations

import hmac
from typing import Any

from django.utils.translation import gettext
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from identity.console.guard import is_proven
from identity.models import Operator
from pools.services.operators import operators

BEARER = 'Bearer realm="cognate"'


class AccessKey(authentication.BaseAuthentication):
    """``Authorization: Bearer ID.SECRET`` of an operator's access key."""

    def authenticate(self, request: Request) -> tuple[Operator, str] | None:
        """Return the key's operator; None where no such header was sent."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, credentials = header.partition(" ")
        key_id, _, secret = credentials.strip().partition(".")
        if scheme.lower() != "bearer" or len(credentials) > 512:  # noqa: PLR2004 - far above any key
            raise exceptions.AuthenticationFailed(gettext("Send an access key as `Authorization: Bearer ID.SECRET`."))
        key = operators.authenticate_key(key_id)
        # The same comparison for an unknown key, so that ids cannot be told apart by time.
        known = key.secret if key else "-" * 40
        if not hmac.compare_digest(known.encode(), secret.encode("utf-8", "replace")) or key is None:
            raise exceptions.AuthenticationFailed(gettext("The access key is not valid."))
        if not key.limits.are_none:  # its lists are of the wire API's actions
            raise exceptions.AuthenticationFailed(gettext("This access key is limited to the wire API."))
        operators.key_used(key)
        who = operators.operator_by_id(key.operator_id)
        if who is None:
            raise exceptions.AuthenticationFailed(gettext("The access key is not valid."))
        return who, "access key"

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a refusal is 401."""
        del request
        return BEARER


class Session(authentication.SessionAuthentication):
    """An operator's console session, with both factors shown; writes need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Operator, None] | None:
        """Return the session's operator, None where nobody has shown both factors."""
        if not is_proven(request._request):  # noqa: SLF001 - as DRF's own session class does
            return None
        return super().authenticate(request)

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a write without token."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied:
            raise exceptions.PermissionDenied(gettext("The CSRF token is missing or wrong."), "csrf_refused") from None


class AccessKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The access key in the schema."""

    target_class = "identity.console.callers.AccessKey"
    name = "accessKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ANN401 - spectacular's signature
        """Describe the header."""
        del auto_schema
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "ID.SECRET",
            "description": "An operator's access key: its id, a full stop, its secret.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The console's session in the schema."""

    target_class = "identity.console.callers.Session"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ANN401 - spectacular's signature
        """Describe the cookie."""
        del auto_schema
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "operator",
            "description": "An operator's console session. Writes also need the `X-CSRFToken` header.",
        }
