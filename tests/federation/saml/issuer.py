"""Our identity provider, for an application of the tests: it issues what the pool of the tests reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from federation.saml import authn_contexts, issuing, name_ids
from federation.saml.issuing import Application, Attribute, Issuer, SignIn
from federation.saml.responses import NameId
from federation.saml.signing import SigningKey
from identity.foundation import clock
from tests.federation.saml.identity_provider import ACS, AUDIENCE, ISSUER, NAME, REQUEST, certificate, rsa_key

Element = Any
ATTRIBUTES = (
    Attribute("email", [NAME]),
    Attribute("urn:oid:2.5.4.42", ["Ada Ünïcode 中"], "givenName"),
    Attribute("http://schemas.xmlsoap.org/claims/Group", ["admins", "users & <others>"]),
    Attribute("two words", [""]),
    Attribute("nothing", []),
)
TOLD = {each.name: tuple(each.values) for each in ATTRIBUTES if each.values}


def issuer() -> Issuer:
    """Return who issues."""
    return Issuer(ISSUER, SigningKey(rsa_key(), certificate(rsa_key())))


def application(**changes: Any) -> Application:
    """Return whom it is for."""
    return Application(**{"entity_id": AUDIENCE, "acs_url": ACS, **changes})


def sign_in(**changes: Any) -> SignIn:
    """Return who signed in."""
    usual = {
        "name_id": name_ids.name_id(NAME, name_ids.PERSISTENT, issuer=ISSUER, application=AUDIENCE),
        "authn_instant": clock.now(),
        "authn_context": authn_contexts.PASSWORD_PROTECTED,
        "session_index": "_s1",
        "attributes": ATTRIBUTES,
    }
    return SignIn(**{**usual, **changes})


def issued(attributes: Sequence[Attribute] = ATTRIBUTES, /, *, name: str = NAME, **changes: Any) -> bytes:
    """Return a response to the request of the tests."""
    told = sign_in(attributes=attributes, name_id=NameId(name))
    return issuing.response(issuer(), application(**changes), told, request_id=REQUEST)


def tree(data: bytes) -> Element:
    """Return a message as anybody's parser has it."""
    return etree.fromstring(data)
