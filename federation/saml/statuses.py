"""How an identity provider says in a response that it did not do what was asked (SAML core 3.2.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from federation.saml.responses import STATUS


class Status(NamedTuple):
    """A status without success: who is at fault, and what went wrong."""

    code: str
    sub_code: str = ""
    """Empty where the first says it all."""


def name_of(status: Status) -> str:
    """Return what pools and logs call a status."""
    return (status.sub_code or status.code).removeprefix(STATUS)


REQUESTER: Final = f"{STATUS}Requester"
RESPONDER: Final = f"{STATUS}Responder"

VERSION_MISMATCH: Final = Status(f"{STATUS}VersionMismatch")
INVALID_NAME_ID_POLICY: Final = Status(REQUESTER, f"{STATUS}InvalidNameIDPolicy")
REQUEST_UNSUPPORTED: Final = Status(REQUESTER, f"{STATUS}RequestUnsupported")
UNSUPPORTED_BINDING: Final = Status(REQUESTER, f"{STATUS}UnsupportedBinding")
AUTHN_FAILED: Final = Status(RESPONDER, f"{STATUS}AuthnFailed")
NO_AUTHN_CONTEXT: Final = Status(RESPONDER, f"{STATUS}NoAuthnContext")
NO_PASSIVE: Final = Status(RESPONDER, f"{STATUS}NoPassive")
REQUEST_DENIED: Final = Status(RESPONDER, f"{STATUS}RequestDenied")
UNKNOWN_PRINCIPAL: Final = Status(RESPONDER, f"{STATUS}UnknownPrincipal")

BY_NAME: Mapping[str, Status] = {
    name_of(each): each
    for each in (
        VERSION_MISMATCH,
        INVALID_NAME_ID_POLICY,
        REQUEST_UNSUPPORTED,
        UNSUPPORTED_BINDING,
        AUTHN_FAILED,
        NO_AUTHN_CONTEXT,
        NO_PASSIVE,
        REQUEST_DENIED,
        UNKNOWN_PRINCIPAL,
    )
}
"""By the innermost code's name, without SAML's prefix: what pools and logs call them."""
