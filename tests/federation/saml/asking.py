"""An application of the tests that asks our identity provider, and may be told to do it wrong."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from federation.saml import authn_requests, signing
from federation.saml.authn_requests import AuthnRequest, Expected, StatusRefused
from federation.saml.signing import SigningKey
from identity.foundation.errors import LoginRefused
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    PROTOCOL,
    SAML,
    Edit,
    at,
    certificate,
    new_id,
    nothing,
    put,
    rsa_key,
    written,
)

Element = Any
SSO = "https://pool.example/saml2/idp/sso"
OTHER_ACS = f"{ACS}/other"
PINNED = "an application's"


def request(edit: Edit = nothing, *, signed_by: str = "") -> bytes:
    """Return a request, which says no more than it must before it is edited; signed by a key, if it has a name."""
    root = etree.Element(
        f"{{{PROTOCOL}}}AuthnRequest",
        {"ID": new_id(), "Version": "2.0", "IssueInstant": at(), "Destination": SSO},
        nsmap={"samlp": PROTOCOL, "saml": SAML},
    )
    put(root, "saml:Issuer", AUDIENCE)
    edit(root)
    if signed_by:
        root = signing.signed(root, SigningKey(rsa_key(signed_by), certificate(rsa_key(signed_by))))
    return written(root)


def expected(**changes: Any) -> Expected:
    """Return what is expected of the application of the tests, but for some changes."""
    return Expected(**{"issuer": AUDIENCE, "sso_url": SSO, "acs_urls": {3: ACS, 0: OTHER_ACS}, **changes})


def signing_application() -> dict[str, Any]:
    """Return what is expected otherwise of one that signs."""
    return {"certificates": [certificate(rsa_key("its last one")), certificate(rsa_key(PINNED))]}


def read(data: bytes, *, was_signed: bool = False, **changes: Any) -> AuthnRequest:
    """Return what is asked."""
    return authn_requests.read(data, expected(**changes), was_signed=was_signed)


def refusal(data: bytes, *, was_signed: bool = False, **changes: Any) -> str:
    """Return which check says that nobody is to be answered."""
    with pytest.raises(LoginRefused) as caught:
        read(data, was_signed=was_signed, **changes)
    return caught.value.detail.removeprefix("saml ")


def answer(data: bytes, **changes: Any) -> StatusRefused:
    """Return what is answered instead of a sign-in."""
    with pytest.raises(StatusRefused) as caught:
        read(data, **changes)
    return caught.value
