"""What a pool tells of itself: in the order of the schema, signed as it signs, and read by its like."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from federation.saml import documents, metadata, metadata_writing, signatures, writing
from federation.saml.metadata_writing import IdentityProvider, ServiceProvider
from federation.saml.signing import SigningKey
from identity.foundation.errors import LoginRefused
from tests.federation.saml.identity_provider import ACS, AUDIENCE, PERSISTENT, Element, certificate, one, rsa_key

SLO, SSO = "https://pool.example/saml2/logout", "https://pool.example/saml2/idp/sso"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
POST, REDIRECT = metadata.POST, metadata.REDIRECT
GCM, OAEP = "http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"


def key() -> SigningKey:
    """Return a key that signs."""
    return SigningKey(rsa_key(), certificate(rsa_key()))


def service_provider() -> ServiceProvider:
    """Return what a pool tells identity providers."""
    now, then = certificate(rsa_key()), certificate(rsa_key("the next"))
    return ServiceProvider(AUDIENCE, ACS, SLO, [now, then], [then, now], [PERSISTENT, EMAIL])


def identity_provider() -> IdentityProvider:
    """Return what a pool tells applications."""
    return IdentityProvider(
        AUDIENCE, SSO, SLO, [certificate(rsa_key()), certificate(rsa_key("b"))], [PERSISTENT, EMAIL]
    )


def told(element: Element) -> list[tuple[str, ...]]:
    """Return an element's children: their names and what their attributes say."""
    return [(etree.QName(child).localname, *child.attrib.values()) for child in element]


def test_a_service_provider_tells_where_it_takes_what() -> None:
    root = etree.fromstring(metadata_writing.of_service_provider(service_provider()))
    role = one(root, "/md:EntityDescriptor[@entityID]/md:SPSSODescriptor")

    assert root.get("entityID") == AUDIENCE
    assert dict(role.attrib) == {
        "protocolSupportEnumeration": "urn:oasis:names:tc:SAML:2.0:protocol",
        "AuthnRequestsSigned": "true",
        "WantAssertionsSigned": "true",
    }
    assert told(role) == [
        ("KeyDescriptor", "signing"),
        ("KeyDescriptor", "signing"),
        ("KeyDescriptor", "encryption"),
        ("KeyDescriptor", "encryption"),
        ("SingleLogoutService", POST, SLO),
        ("SingleLogoutService", REDIRECT, SLO),
        ("NameIDFormat",),
        ("NameIDFormat",),
        ("AssertionConsumerService", POST, ACS, "0", "true"),
    ]
    assert [told(each) for each in role[:4:2]] == [
        [("KeyInfo",)],
        [("KeyInfo",), ("EncryptionMethod", GCM), ("EncryptionMethod", OAEP)],
    ]
    texts = [base64.b64decode(each.findtext(".//{*}X509Certificate")) for each in role[:4]]
    keys = [rsa_key(), rsa_key("the next"), rsa_key("the next"), rsa_key()]
    assert texts == [certificate(each).public_bytes(Encoding.DER) for each in keys]
    assert [each.text for each in role[6:8]] == [PERSISTENT, EMAIL]


def test_what_a_service_provider_does_not_do_it_does_not_tell() -> None:
    provider = ServiceProvider(AUDIENCE, ACS, SLO, [certificate(rsa_key())], signs_requests=False)

    role = etree.fromstring(metadata_writing.of_service_provider(provider))[0]

    assert role.get("AuthnRequestsSigned") == "false"
    assert [name for name, *_ in told(role)] == [
        "KeyDescriptor",
        "SingleLogoutService",
        "SingleLogoutService",
        "AssertionConsumerService",
    ]


@pytest.mark.parametrize("wants", [True, False])
def test_an_identity_provider_is_read_by_its_like(wants: bool) -> None:
    provider = IdentityProvider(
        AUDIENCE, SSO, SLO, identity_provider().signing, [PERSISTENT, EMAIL], wants_requests_signed=wants
    )

    data = metadata_writing.of_identity_provider(provider)
    found = metadata.read(data)

    assert found.entity_id == AUDIENCE
    assert found.certificates == tuple(provider.signing)
    assert {found.sso_post_url, found.sso_redirect_url} == {SSO}
    assert {found.slo_post_url, found.slo_redirect_url} == {SLO}
    assert found.name_id_formats == (PERSISTENT, EMAIL)
    assert found.wants_requests_signed is wants
    names = [name for name, *_ in told(etree.fromstring(data)[0])]
    assert names == [
        *["KeyDescriptor"] * 2,
        *["SingleLogoutService"] * 2,
        *["NameIDFormat"] * 2,
        *["SingleSignOnService"] * 2,
    ]


@pytest.mark.parametrize("kind", ["service", "identity"])
def test_metadata_are_signed_as_messages_are(kind: str) -> None:
    if kind == "service":
        data = metadata_writing.of_service_provider(service_provider(), key())
    else:
        data = metadata_writing.of_identity_provider(identity_provider(), key())
    root = documents.parse(data)

    assert root[0].tag == signatures.SIGNATURE
    assert signatures.verified(root, [certificate(rsa_key())]).get("entityID") == AUDIENCE
    one(root, "//md:SingleLogoutService[1]").set("Location", "https://evil.example")
    with pytest.raises(LoginRefused, match="could not be verified"):
        signatures.verified(root, [certificate(rsa_key())])


def test_a_document_is_the_same_as_long_as_what_it_tells() -> None:
    first, second = (metadata_writing.of_service_provider(service_provider(), key()) for _ in range(2))

    assert first == second
    assert documents.NAME.fullmatch(etree.fromstring(first).get("ID"))


def test_a_name_is_never_markup() -> None:
    name = 'https://a.example/?a=1&b="><x:y/>'
    provider = ServiceProvider(name, ACS, SLO, [certificate(rsa_key())])

    assert etree.fromstring(metadata_writing.of_service_provider(provider)).get("entityID") == name


def test_a_private_key_is_in_no_log() -> None:
    assert "PrivateKey" not in repr(key())
    assert writing.new_id() != writing.new_id()
