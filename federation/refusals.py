"""How a sign-in at a provider is refused: as forged, or because the provider says no. Two ways, told apart here alone.

What a provider writes of its error is for the person and their app. Logs get its code: descriptions name people.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable, Parameters
from pools.ports import LoginDenied

FORGED = "The identity provider's answer could not be verified."
REFUSED = "The identity provider refused the sign-in."
DENIALS = frozenset(
    {"access_denied", "user_cancelled_authorize", "user_cancelled_login", "AuthnFailed", "RequestDenied"}
)
"""RFC 6749 4.1.2.1; Apple; LinkedIn; SAML core 3.2.2.2."""
UNAVAILABLE = frozenset({"server_error", "temporarily_unavailable"})
"""The same section, of the provider's own trouble."""
NOT_PRINTED = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""What neither an error nor its description holds, by the same section."""
LONGEST_ERROR, LONGEST_DESCRIPTION = 64, 256


def forged(check: str, **parameters: str | int) -> LoginRefused:
    """Return the refusal of an answer that does not pass a check, which only logs name; and what others choose by."""
    return LoginRefused(FORGED, detail=check, parameters=parameters)


def told(error: str, description: str, *, status: int = HTTPStatus.BAD_REQUEST) -> DomainError:
    """Return what a provider's error is: somebody's no, its own trouble, or its refusal of what we asked."""
    code = printed(error, LONGEST_ERROR)
    detail = f"the provider says {code or 'an error without a name'}"
    parameters: Parameters = {
        "error": code,
        "description": printed(description, LONGEST_DESCRIPTION),
        "status": int(status),
    }
    if code in DENIALS:
        return LoginDenied(detail=detail, parameters=parameters)
    if code in UNAVAILABLE:
        return OutsideUnavailable(detail=detail, parameters=parameters)
    return LoginRefused(REFUSED, code="provider_refused", parameters=parameters, detail=detail)


def printed(text: object, most: int) -> str:
    """Return what of a text may stand in an error."""
    return NOT_PRINTED.sub("", text)[:most] if isinstance(text, str) else ""
