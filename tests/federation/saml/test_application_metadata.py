"""What applications tell of themselves: what is taken, and what is refused by name."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from federation.saml import application_metadata, identity_provider, metadata_writing
from federation.saml.metadata_writing import ServiceProvider
from identity.foundation.errors import Invalid
from pools.ports import RegisteredApplication
from tests.federation.saml.identity_provider import MD, PERSISTENT, PROTOCOL, certificate, ec_key, rsa_key

ENTITY_ID, ACS, SLO = "https://sp.example/metadata", "https://sp.example/acs", "https://sp.example/slo"
BINDINGS = "urn:oasis:names:tc:SAML:2.0:bindings:"
USUAL = f'<md:AssertionConsumerService Binding="{BINDINGS}HTTP-POST" Location="{ACS}" index="0"/>'


def told(key: Any) -> str:  # noqa: ANN401 - a key
    """Return a key's certificate as metadata have it."""
    return base64.b64encode(certificate(key).public_bytes(Encoding.DER)).decode()


def document(role: str = USUAL, *, around: str = "{}", **attributes: str) -> bytes:
    """Return metadata with a role of an application."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    entity = (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY_ID}"{given}>'
        f'<md:SPSSODescriptor protocolSupportEnumeration="{PROTOCOL}">{role}</md:SPSSODescriptor></md:EntityDescriptor>'
    )
    return around.format(entity).encode()


def acs(index: str, url: str = ACS, *, binding: str = "HTTP-POST", default: str = "") -> str:
    """Return an address for answers."""
    is_default = f' isDefault="{default}"' if default else ""
    numbered = f' index="{index}"' if index else ""
    return f'<md:AssertionConsumerService Binding="{BINDINGS}{binding}" Location="{url}"{numbered}{is_default}/>'


def read(data: bytes) -> RegisteredApplication:
    """Return what is told."""
    return identity_provider.read_metadata(data)


def test_what_our_own_service_provider_tells_is_read() -> None:
    signing, encryption = certificate(rsa_key("signs")), certificate(rsa_key("decrypts"))
    written = metadata_writing.of_service_provider(
        ServiceProvider(ENTITY_ID, ACS, SLO, [signing], [encryption], [PERSISTENT])
    )

    found = read(written)

    assert read(document()).signs_requests is False  # which is what saying nothing means
    assert found == RegisteredApplication(
        ENTITY_ID,
        {0: ACS},
        SLO,
        [told(rsa_key("signs"))],
        signs_requests=True,
        encryption_certificate=told(rsa_key("decrypts")),
        name_id_format="persistent",
    )


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([acs("1"), acs("5", f"{ACS}/5")], {1: ACS, 5: f"{ACS}/5"}),
        ([acs("1"), acs("5", f"{ACS}/5", default="true")], {5: f"{ACS}/5", 1: ACS}),
        ([acs("1", default="false"), acs("5", f"{ACS}/5")], {5: f"{ACS}/5", 1: ACS}),
        ([acs("0", f"{ACS}/artifact", binding="HTTP-Artifact"), acs("1")], {1: ACS}),
    ],
    ids=["the first", "one that says so", "one that does not deny it", "by POST alone"],
)
def test_the_default_address_comes_first(services: list[str], expected: dict[int, str]) -> None:
    found = read(document("".join(services)))

    assert list(found.acs_urls.items()) == list(expected.items())


def test_a_key_for_anything_is_for_both_and_one_of_a_curve_encrypts_nothing() -> None:
    def key(told: str, use: str = "") -> str:
        used = f' use="{use}"' if use else ""
        return (
            f'<md:KeyDescriptor{used}><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
            f"{told}</X509Certificate></X509Data></KeyInfo></md:KeyDescriptor>"
        )

    curve, both = told(ec_key()), told(rsa_key("both"))

    found = read(document(key(curve, "encryption") + key(curve, "signing") + key(both) + USUAL))

    assert list(found.certificates) == [curve, both]
    assert found.encryption_certificate == both


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"nothing", "unreadable_metadata"),
        (b"<!DOCTYPE a []>" + document(), "unreadable_metadata"),
        (document(around="<a>{0}</a>"), "no_application"),
        (document().replace(b"SPSSO", b"IDPSSO"), "no_application"),
        (document().replace(PROTOCOL.encode(), b"urn:another"), "no_application"),
        (
            document(around=f"<m:EntitiesDescriptor xmlns:m={MD!r}>{{0}}{{0}}</m:EntitiesDescriptor>"),
            "several_applications",
        ),
        (document(validUntil="2020-01-01T00:00:00Z"), "expired_metadata"),
        (document(""), "no_acs_url"),
        (document(acs("0", binding="HTTP-Redirect")), "no_acs_url"),
        (document(acs("0") + acs("0", f"{ACS}/2")), "acs_index"),
        (document(acs("")), "acs_index"),
        (document(acs("70000")), "acs_index"),
        (document(acs("0", "javascript:alert(1)")), "not_https_in_metadata"),
        (document(acs("0", "https://sp.example/#a")), "no_url_in_metadata"),
        (document().replace(ENTITY_ID.encode(), b""), "no_entity_id"),
    ],
)
def test_what_nobody_can_be_sent_to_is_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(data)

    assert (refused.value.field, refused.value.code) == ("metadata", code)


@pytest.mark.parametrize("url", ["ftp://sp.example", "https://sp.example/#a", "https://"])
def test_metadata_are_asked_for_at_an_address_alone(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity_provider.fetch_metadata(url)

    assert (refused.value.field, refused.value.code) == ("metadata_url", "metadata_address")


def test_more_certificates_than_anybody_changes_between_are_refused() -> None:
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{told(ec_key(bits))}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for bits in (256, 384, 521)
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(application_metadata, "MOST_CERTIFICATES", 2)
        with pytest.raises(Invalid) as refused:
            read(document(keys + USUAL))

    assert refused.value.code == "too_many_certificates"
