"""What a browser brings back from a provider (RFC 6749 4.1.2): a code, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from federation.refusals import forged, told

CODE = re.compile(r"[\x20-\x7e]{1,4096}")
"""RFC 6749 A.11, and longer than any that is known."""


def code(answer: Mapping[str, str], *, issuers: Collection[str] = (), must_tell: bool = False) -> str:
    """Return the code that a browser brought.

    ``issuers``: what the provider may call itself; with none, that is not asked. ``must_tell``: it promised to, so that
    one provider's code is never shown to another (RFC 9207 2.4).

    Raises:
        LoginDenied: the provider says that the person did not want to, or may not.
        LoginRefused: another provider's answer, an error, or no code.
        OutsideUnavailable: the provider says that it is in trouble.

    """
    issuer = answer.get("iss", "")
    if issuers and issuer and issuer not in issuers:
        raise forged("answer: iss is another issuer's")
    if error := answer.get("error"):
        raise told(error, answer.get("error_description", ""))
    if must_tell and not issuer:
        raise forged("answer: no iss, which discovery promises")
    found = answer.get("code", "")
    if not found:
        raise forged("answer: neither a code nor an error")
    if not CODE.fullmatch(found):
        raise forged("answer: the code is none")
    return found
