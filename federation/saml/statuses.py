"""How an identity provider says in a response that it did not do what was asked (SAML core 3.2.2.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

from federation.saml.responses import STATUS


class Status(NamedTuple):
    """A status without success: who is at fault, and what went wrong."""

    code: str
    sub_code: str = ""
    """Empty where the first says it all."""


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
