"""What identity providers tell of themselves: read as people write it, and refused where nobody could sign in by it."""

from __future__ import annotations

import base64
import copy
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pytest_django import Settings

from federation.saml import metadata, metadata_writing
from federation.saml.metadata import POST, REDIRECT, IdentityProviderMetadata
from federation.saml.signing import SigningKey
from identity.foundation.errors import Invalid
from tests.federation.saml.edits import add, drop, repeat, set_at, text_at, then
from tests.federation.saml.identity_provider import (
    ISSUER,
    MD,
    PERSISTENT,
    Edit,
    Element,
    certificate,
    ec_key,
    new_id,
    one,
    put,
    rsa_key,
    written,
)
from tests.walks import walk

anything = walk(100)
ROLE = "//md:IDPSSODescriptor"
KEY = "//md:KeyDescriptor"
X509 = "//ds:X509Certificate"
SSO_POST, SSO_REDIRECT = (f"//md:SingleSignOnService[@Binding='{binding}']" for binding in (POST, REDIRECT))
SLO_POST, SLO_REDIRECT = (f"//md:SingleLogoutService[@Binding='{binding}']" for binding in (POST, REDIRECT))
SSO, SLO = "https://idp.example/sso", "https://idp.example/slo?tenant=1"


@pytest.fixture(autouse=True)
def only_https(settings: Settings) -> None:
    settings.INSECURE_PROVIDERS = False


def published(*keys: rsa.RSAPrivateKey, signed: bool = False) -> Element:
    """Return the metadata of an identity provider."""
    told = metadata_writing.IdentityProvider(
        entity_id=ISSUER,
        sso_url=SSO,
        slo_url=SLO,
        signing=[certificate(key) for key in keys or (rsa_key(),)],
        name_id_formats=[PERSISTENT],
    )
    key = SigningKey(rsa_key(), certificate(rsa_key())) if signed else None
    return etree.fromstring(metadata_writing.of_identity_provider(told, key))


def read(root: Element | bytes, entity_id: str = "") -> IdentityProviderMetadata:
    """Return what metadata tell."""
    return metadata.read(root if isinstance(root, bytes) else written(root), entity_id=entity_id)


def refusal(root: Element | bytes, entity_id: str = "") -> tuple[str, str]:
    """Return the code and the words by which metadata are refused."""
    with pytest.raises(Invalid) as caught:
        read(root, entity_id)
    assert caught.value.field == "provider_details.MetadataFile"
    return caught.value.code, str(caught.value.parameters.get("reason") or caught.value)


def armoured(found: x509.Certificate) -> str:
    """Return a certificate as metadata have it."""
    return base64.b64encode(found.public_bytes(Encoding.DER)).decode()


def of(made: Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey]) -> Edit:
    """Return an edit that has a certificate of another key."""

    def edit(root: Element) -> None:
        one(root, X509).text = armoured(issued(made().public_key()))

    return edit


def issued(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey) -> x509.Certificate:
    """Return a certificate of somebody's key."""
    usual = certificate(rsa_key())
    builder = x509.CertificateBuilder(usual.issuer, usual.subject, key, 7)
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2045, 1, 1, tzinfo=UTC)
    )
    return builder.sign(rsa_key(), hashes.SHA256())


def weak() -> rsa.RSAPrivateKey:
    """Return a key that was long enough once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


# -- what is read ----------------------------------------------------------------------------------------------------


def test_an_identity_provider_tells_where_people_sign_in_and_by_what_it_signs() -> None:
    found = read(published(rsa_key(), rsa_key("the next")))

    assert found == IdentityProviderMetadata(
        entity_id=ISSUER,
        certificates=(certificate(rsa_key()), certificate(rsa_key("the next"))),
        sso_redirect_url=SSO,
        sso_post_url=SSO,
        slo_redirect_url=SLO,
        slo_post_url=SLO,
        slo_redirect_response_url=SLO,
        slo_post_response_url=SLO,
        wants_requests_signed=False,
        valid_until=None,
        name_id_formats=(PERSISTENT,),
    )


def tell_much(root: Element) -> None:
    """Have what people write and nobody asks for."""
    root.insert(0, etree.Comment("ours"))
    root.addprevious(etree.Comment(" made by hand "))
    root.addprevious(etree.ProcessingInstruction("xml-stylesheet", "href='x.xsl'"))
    first = one(root, X509)
    first.text = "\n    ".join(["", first.text[:64], first.text[64:], ""])
    first.append(etree.Comment("until 2045"))
    put(root, "md:Organization")
    etree.SubElement(root, f"{{{MD}}}RoleDescriptor", {"ID": new_id()}).text = "WS-Federation"


def encryption_only(root: Element) -> None:
    """Have a key that only encrypts, without a certificate, in front."""
    made = etree.Element(f"{{{MD}}}KeyDescriptor", use="encryption")
    put(put(made, "ds:KeyInfo"), "ds:KeyName", "theirs")
    one(root, ROLE).insert(0, made)


def service_provider_too(root: Element) -> None:
    """Have other roles, of SAML 1.1 too."""
    put(root, "md:SPSSODescriptor", protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol")
    put(root, "md:IDPSSODescriptor", protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol")


def chain(root: Element) -> None:
    """Have the certificate of who issued the certificate behind it."""
    put(one(root, "//ds:X509Data"), "ds:X509Certificate", armoured(certificate(rsa_key("an authority"))))


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        (tell_much, {}),
        (encryption_only, {}),
        (service_provider_too, {}),
        (chain, {}),
        (repeat(KEY), {}),
        (set_at(KEY, use=None), {}),
        (set_at(ROLE, WantAuthnRequestsSigned="true"), {"wants_requests_signed": True}),
        (set_at(ROLE, WantAuthnRequestsSigned="1"), {"wants_requests_signed": True}),
        (set_at(ROLE, WantAuthnRequestsSigned=None), {}),
        (set_at(ROLE, protocolSupportEnumeration="urn:x urn:oasis:names:tc:SAML:2.0:protocol"), {}),
        (drop(SSO_POST), {"sso_post_url": ""}),
        (drop(SSO_REDIRECT), {"sso_redirect_url": ""}),
        (
            set_at(SLO_POST, Location="http://inside", Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP"),
            {
                "slo_post_url": "",
                "slo_post_response_url": "",
            },
        ),
        (
            set_at(SLO_REDIRECT, ResponseLocation="https://idp.example/done"),
            {
                "slo_redirect_response_url": "https://idp.example/done",
            },
        ),
        (
            set_at(SLO_POST, ResponseLocation="https://idp.example/done"),
            {
                "slo_post_response_url": "https://idp.example/done",
            },
        ),
        (then(repeat(SSO_POST), set_at(f"{SSO_POST}[2]", Location="https://other.example")), {}),
        (
            then(drop(SLO_POST), drop(SLO_REDIRECT)),
            {
                "slo_redirect_url": "",
                "slo_post_url": "",
                "slo_redirect_response_url": "",
                "slo_post_response_url": "",
            },
        ),
        (set_at(".", validUntil="2040-01-01T00:00:00Z"), {"valid_until": datetime(2040, 1, 1, tzinfo=UTC)}),
        (
            then(set_at(".", validUntil="2041-01-01T00:00:00Z"), set_at(ROLE, validUntil="2040-01-01T00:00:00.5Z")),
            {"valid_until": datetime(2040, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)},
        ),
        (text_at("//md:NameIDFormat", f"\n  {PERSISTENT}\n"), {}),
        (add(ROLE, "md:NameIDFormat", "urn:other"), {"name_id_formats": (PERSISTENT, "urn:other")}),
        (text_at("//md:NameIDFormat", None), {"name_id_formats": ()}),
    ],
)
def test_metadata_are_read_as_people_write_them(edit: Edit, changes: dict[str, Any]) -> None:
    root = published()
    usual = read(root)
    edit(root)

    found = read(etree.tostring(root.getroottree()))

    assert found == dataclasses.replace(usual, **changes)


@pytest.mark.parametrize("bits", [256, 384, 521])
def test_keys_of_curves_are_taken(bits: int) -> None:
    root = published()
    of(lambda: ec_key(bits))(root)

    [found] = read(root).certificates

    assert found.public_key() == ec_key(bits).public_key()


@pytest.mark.parametrize("declared", ["UTF-8", "iso-8859-1", "UTF-16"])
def test_metadata_are_utf_8_whatever_they_say_of_themselves(declared: str) -> None:
    data = f'<?xml version="1.0" encoding="{declared}"?>\n'.encode() + written(published())

    assert read(data).entity_id == ISSUER
    assert read(b"\xef\xbb\xbf" + written(published())).entity_id == ISSUER


def test_a_signature_in_metadata_says_nothing() -> None:
    root = published(signed=True)
    assert read(root).entity_id == ISSUER

    one(root, "/*/ds:Signature/ds:SignatureValue").text = "AAAA"

    assert read(root).entity_id == ISSUER


def test_an_address_without_tls_is_taken_where_the_installation_allows_it(settings: Settings) -> None:
    root = published()
    set_at(SSO_POST, Location="http://localhost:8180/sso")(root)
    assert refusal(root)[0] == "not_https_in_metadata"

    settings.INSECURE_PROVIDERS = True

    assert read(root).sso_post_url == "http://localhost:8180/sso"


def test_metadata_are_read_until_their_end() -> None:
    root = published()
    set_at(".", validUntil="2040-01-01T00:00:00Z")(root)

    with time_machine.travel(datetime(2040, 1, 1, tzinfo=UTC) - timedelta(seconds=1), tick=False):
        assert read(root).valid_until == datetime(2040, 1, 1, tzinfo=UTC)
    with time_machine.travel(datetime(2040, 1, 1, tzinfo=UTC), tick=False):
        assert refusal(root)[0] == "expired_metadata"


# -- each rule, broken alone -----------------------------------------------------------------------------------------


def many_certificates(root: Element) -> None:
    """Have more certificates than anybody verifies by."""
    key = one(root, KEY)
    for number in range(10):
        key.addnext(copy.deepcopy(key))
        key.getnext()[0][0][0].text = armoured(certificate(rsa_key(), years=(2001 + number, 2040)))


NOT_HTTPS, NO_URL, NO_CERTIFICATE = "not_https_in_metadata", "no_url_in_metadata", "key_without_certificate"
NO_SSO = "No SingleSignOn Http redirect binding location found in metadata."


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (set_at(".", entityID=None), "no_entity_id"),
        (set_at(".", entityID=""), "no_entity_id"),
        (set_at(".", entityID=" https://idp.example"), "no_entity_id"),
        (set_at(".", entityID="x" * 1025), "no_entity_id"),
        (set_at(".", validUntil="2020-01-01T00:00:00Z"), "expired_metadata"),
        (set_at(".", validUntil="tomorrow"), "not_a_moment"),
        (set_at(".", validUntil="2040-01-01T00:00:00+01:00"), "not_a_moment"),
        (set_at(ROLE, validUntil="2020-01-01T00:00:00Z"), "expired_metadata"),
        (set_at(ROLE, validUntil=""), "not_a_moment"),
        (drop(ROLE), "provider_not_in_metadata"),
        (repeat(ROLE), "no_identity_provider"),
        (set_at(ROLE, protocolSupportEnumeration=None), "no_identity_provider"),
        (set_at(ROLE, protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"), "no_identity_provider"),
        (then(drop(SSO_POST), drop(SSO_REDIRECT)), "no_sso_url"),
        (set_at(SSO_POST, Location=None), NOT_HTTPS),
        (set_at(SSO_POST, Location="http://idp.example/sso"), NOT_HTTPS),
        (set_at(SSO_REDIRECT, Location="javascript:alert(1)"), NOT_HTTPS),
        (set_at(SSO_REDIRECT, Location="https://"), NO_URL),
        (set_at(SSO_REDIRECT, Location="https://ada@idp.example"), NO_URL),
        (set_at(SSO_REDIRECT, Location="https://idp.example/#x"), NO_URL),
        (set_at(SLO_POST, Location="http://idp.example/slo"), NOT_HTTPS),
        (set_at(SLO_REDIRECT, Location="https://idp example"), NO_URL),
        (set_at(SLO_REDIRECT, ResponseLocation="http://idp.example"), NOT_HTTPS),
        (set_at(SLO_POST, ResponseLocation="https://:1"), NO_URL),
        (drop(KEY), "no_certificate"),
        (set_at(KEY, use="encryption"), "no_certificate"),
        (set_at(KEY, use=""), "no_certificate"),
        (drop(X509), NO_CERTIFICATE),
        (drop("//ds:X509Data"), NO_CERTIFICATE),
        (then(drop("//ds:X509Data"), add("//ds:KeyInfo", "ds:KeyValue")), NO_CERTIFICATE),
        (drop("//ds:KeyInfo"), NO_CERTIFICATE),
        (text_at(X509, None), "unreadable_certificate"),
        (text_at(X509, "AAAA"), "unreadable_certificate"),
        (text_at(X509, "?"), "unreadable_certificate"),
        (text_at(X509, "-----BEGIN CERTIFICATE-----"), "unreadable_certificate"),
        (add(X509, "ds:x"), "unreadable_certificate"),
        (many_certificates, "too_many_certificates"),
        (of(weak), "weak_key"),
        (of(lambda: dsa.generate_private_key(2048)), "weak_key"),
        (of(lambda: ec.generate_private_key(ec.SECP256K1())), "weak_key"),
    ],
)
def test_each_rule_refuses_alone(edit: Edit, code: str) -> None:
    root = published()
    read(root)

    edit(root)

    assert refusal(root)[0] == code


def test_amazon_says_so_where_nobody_can_sign_in() -> None:
    root = published()
    then(drop(SSO_POST), drop(SSO_REDIRECT))(root)

    assert refusal(root) == ("no_sso_url", NO_SSO)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not XML in UTF-8"),
        (b"ada", "not XML in UTF-8"),
        (written(etree.Element("a"))[:-2], "not XML in UTF-8"),
        (b"<a>&x;</a>", "not XML in UTF-8"),
        (b"<a>\xff</a>", "not XML in UTF-8"),
        (b"<!DOCTYPE a><a/>", "it has a DOCTYPE"),
        (b"<!-- " + b"x" * (1 << 16) + b" --><!DOCTYPE a><a/>", "it has a DOCTYPE"),
    ],
    ids=range(7),
)
def test_what_is_no_metadata_is_refused(data: bytes, reason: str) -> None:
    assert refusal(data) == ("unreadable_metadata", reason)
    with pytest.raises(Invalid, match=r"^Unable to unmarshall metadata$"):
        read(data)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (set_at(".", ID="1"), "saml document: an ID is no name, or in a namespace"),
        (add(".", "md:Organization", "x" * (256 << 10)), "saml document: too large"),
    ],
)
def test_an_entity_is_a_document_of_the_usual_rules(edit: Edit, reason: str) -> None:
    root = published()
    edit(root)

    assert refusal(root) == ("unreadable_metadata", reason)


def test_a_file_has_a_megabyte_at_most() -> None:
    data = written(published())
    full = data + b"\n" * (metadata.LARGEST - len(data))
    read(full)

    assert refusal(full + b"\n")[0] == "metadata_too_large"


# -- whatever comes --------------------------------------------------------------------------------------------------


def assert_read_or_refused(data: bytes) -> None:
    """Hold that there is one of two outcomes."""
    try:
        found = read(data)
    except Invalid as refused:
        assert refused.field == "provider_details.MetadataFile"
    else:
        assert found.certificates
        assert found.sso_post_url or found.sso_redirect_url


PIECES = [
    b"<!-- -->",
    b"<?p?>",
    b"&amp;",
    b"&x;",
    b"<!DOCTYPE a>",
    b"<md:EntityDescriptor/>",
    b' use="x"',
    b"\x00",
    b"\xff",
]


@anything
@given(
    place=st.floats(0, 1),
    length=st.integers(0, 40),
    put_in=st.one_of(st.binary(max_size=8), st.sampled_from(PIECES)),
)
def test_bytes_that_others_took_the_place_of(place: float, length: int, put_in: bytes) -> None:
    data = written(published(signed=True))
    at = int(place * len(data))

    assert_read_or_refused(data[:at] + put_in + data[at + length :])


@anything
@given(st.one_of(st.binary(), st.text("<>/!-[]&;?md:IDPx='\" ").map(str.encode)))
def test_anything_at_all(data: bytes) -> None:
    assert_read_or_refused(data)


@anything
@given(data=st.data())
def test_parts_that_were_moved(data: st.DataObject) -> None:
    root = published()
    elements = list(root.iter())
    for _ in range(data.draw(st.integers(1, 3))):
        part, place = (data.draw(st.sampled_from(elements)) for _ in range(2))
        what = data.draw(st.sampled_from(["copy", "remove", "text", "attribute", "rename"]))
        if what == "copy":
            place.append(copy.deepcopy(part))
        elif what == "remove" and part.getparent() is not None:
            part.getparent().remove(part)
        elif what == "text":
            part.text = data.draw(st.sampled_from([None, "", " ", "AAAA", "https://idp.example"]))
        elif what == "attribute" and part.attrib:
            part.set(data.draw(st.sampled_from(list(part.attrib))), data.draw(st.sampled_from(["", "x", "//", "1"])))
        else:
            part.tag = place.tag

    assert_read_or_refused(written(root))
