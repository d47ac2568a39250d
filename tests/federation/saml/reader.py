"""Reads what the identity provider of the tests issued, as this pool expects it."""

from __future__ import annotations

from typing import Any

import pytest

from federation.saml import responses
from federation.saml.responses import SignedIn
from federation.saml.rules import Expected
from identity.foundation.errors import LoginRefused
from tests.federation.saml.edits import set_at, then
from tests.federation.saml.encryptor import OURS
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    ISSUER,
    REQUEST,
    IdentityProvider,
    certificate,
    posted,
    rsa_key,
)

Element = Any
UNASKED = then(set_at(".", InResponseTo=None), set_at("//saml:SubjectConfirmationData", InResponseTo=None))
"""Makes a response one to nobody's request."""
NOBODYS: dict[str, Any] = {"request_id": "", "is_unsolicited": True}
"""What is expected of such a one."""
OF_OTHERS: dict[str, Any] = {"request_id": "", "is_of_others": True}
"""What is expected of one that was issued for a sign-in at an application."""


def expected(**changes: Any) -> Expected:
    """Return what is expected of the provider of the tests, but for some changes."""
    usual = {
        "issuer": ISSUER,
        "certificates": [certificate(rsa_key())],
        "acs_url": ACS,
        "audience": AUDIENCE,
        "request_id": REQUEST,
        "keys": [rsa_key(OURS)],
    }
    return Expected(**{**usual, **changes})


def read(message: Element | bytes | str | IdentityProvider, **changes: Any) -> SignedIn:
    """Return who came back."""
    root = message.response() if isinstance(message, IdentityProvider) else message
    return responses.read(root if isinstance(root, str) else posted(root), expected(**changes))


def refusal(message: Element | bytes | str | IdentityProvider, **changes: Any) -> str:
    """Return which check says that nobody did."""
    with pytest.raises(LoginRefused) as caught:
        read(message, **changes)
    refused = caught.value
    assert refused.public == "Invalid login token."
    assert str(refused) == "The identity provider's answer could not be verified."
    assert refused.detail.isprintable()
    return refused.detail.removeprefix("saml ")
