"""What an identity provider says, without a pool: what of it cannot be told, and by whose keys it is."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from federation.saml import identity_provider, signatures, statuses
from federation.saml.authn_contexts import PASSWORD, PASSWORD_PROTECTED
from identity.foundation import clock
from identity.foundation.errors import Invalid, LoginRefused
from pools.ports import (
    ApplicationLogout,
    BrowserMessage,
    IssuingSide,
    KeyPair,
    RegisteredApplication,
    RequestUnfulfilled,
    SamlName,
    SamlRequest,
    SamlSignIn,
)
from tests.federation.saml.identity_provider import PROTOCOL, certificate, ec_key, rsa_key
from tests.hosted.saml_application import ACS, ENTITY_ID, SLO, told_certificate
from tests.hosted.saml_upstream import sent

OURS = "the pool's"
SIGNED_OUT = ApplicationLogout("_asked", "", (), "theirs")


class Keys:
    """The keys of a pool."""

    def signing(self) -> KeyPair:
        """Return the one that it signs by."""
        key = rsa_key(OURS)
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return KeyPair(certificate(key).public_bytes(Encoding.DER), private)

    def decryption(self) -> Sequence[KeyPair]:
        """Return none: applications encrypt nothing."""
        return ()


OWN = IssuingSide("https://pool.example/idp", "https://pool.example/sso", "https://pool.example/slo", Keys())


def application(**changes: Any) -> RegisteredApplication:
    """Return an application."""
    return RegisteredApplication(ENTITY_ID, {0: ACS}, **{"slo_url": SLO, "name_id_format": "persistent", **changes})


def request(**changes: Any) -> SamlRequest:
    """Return what it asks."""
    return SamlRequest("_asked", ACS, clock.now(), **{"relay_state": "theirs", **changes})


def sign_in(**attributes: Sequence[str]) -> SamlSignIn:
    """Return who signed in."""
    ends = clock.now() + timedelta(hours=1)
    return SamlSignIn(SamlName("ada", "persistent", "_s1"), clock.now(), PASSWORD_PROTECTED, ends, attributes)


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", "x" * 300_000], ids=["control", "surrogate", "too long"])
def test_what_a_message_cannot_hold_is_told_as_a_failure(value: str) -> None:
    with pytest.raises(RequestUnfulfilled) as refused:
        identity_provider.answer(OWN, application(), request(), sign_in(mail=[value]))

    found = refused.value
    assert (found.status, found.acs_url, found.request_id, found.relay_state) == (
        "AuthnFailed",
        ACS,
        "_asked",
        "theirs",
    )
    assert value[:100] not in found.detail


@pytest.mark.parametrize("status", sorted(statuses.BY_NAME))
def test_each_status_is_told_signed(status: str) -> None:
    refused = RequestUnfulfilled(status, acs_url=ACS, request_id="_asked", relay_state="theirs")

    form = identity_provider.refusal(OWN, refused)

    assert (form.url, form.fields["RelayState"]) == (ACS, "theirs")
    root = signatures.verified(
        etree.fromstring(base64.b64decode(form.fields["SAMLResponse"])), [certificate(rsa_key(OURS))]
    )
    codes = [each.get("Value").rpartition(":")[2] for each in root.iter(f"{{{PROTOCOL}}}StatusCode")]
    assert codes[-1] == status
    assert root.get("InResponseTo") == "_asked"


def test_no_relay_state_is_made_up() -> None:
    form = identity_provider.answer(OWN, application(), request(relay_state=""), sign_in())

    assert set(form.fields) == {"SAMLResponse"}


@pytest.mark.parametrize(
    ("classes", "comparison", "reached", "reachable"),
    [
        ((), "exact", PASSWORD_PROTECTED, True),
        ((PASSWORD,), "exact", PASSWORD, True),
        (("https://refeds.org/profile/mfa",), "exact", "", True),
        (("urn:nobody:knows",), "exact", "", False),
        ((PASSWORD,), "better", PASSWORD_PROTECTED, True),
    ],
)
def test_the_class_follows_from_the_proofs(
    classes: tuple[str, ...], comparison: str, reached: str, *, reachable: bool
) -> None:
    asked = request(classes=classes, comparison=comparison)

    assert identity_provider.context(["pwd"], asked) == reached
    assert identity_provider.can_be_reached(asked) is reachable


@pytest.mark.parametrize(
    ("how", "codes"),
    [
        ({"is_known": True, "is_partial": False}, ["Success"]),
        ({"is_known": True, "is_partial": True}, ["Success", "PartialLogout"]),
        ({"is_known": False, "is_partial": False}, ["Requester", "UnknownPrincipal"]),
    ],
)
def test_what_came_of_signing_out_is_told_signed(how: dict[str, bool], codes: list[str]) -> None:
    url = identity_provider.logout_answer(OWN, application(), SIGNED_OUT, **how)

    found = sent(url, to=SLO, name="SAMLResponse")
    assert found.is_signed_by(certificate(rsa_key(OURS)))
    assert (found.root.get("InResponseTo"), found.relay_state) == ("_asked", "theirs")
    told = [each.get("Value").rpartition(":")[2] for each in found.root.iter(f"{{{PROTOCOL}}}StatusCode")]
    assert told == codes


def test_an_application_without_a_certificate_signs_nobody_out() -> None:
    message = BrowserMessage("SAMLRequest=a", {})

    with pytest.raises(LoginRefused, match="could not be verified") as refused:
        identity_provider.signed_out(OWN, application(), message)

    assert refused.value.detail == "saml logout: the application is registered without a certificate"


def test_certificates_are_taken_in_any_form_and_given_in_one() -> None:
    pem = certificate(rsa_key()).public_bytes(Encoding.PEM).decode()
    of_curve = certificate(ec_key()).public_bytes(Encoding.PEM).decode()
    plain = told_certificate("the provider's")

    assert {identity_provider.check_certificate(each, encrypts=True) for each in (pem, plain, f"\n{plain} ")} == {plain}
    assert identity_provider.check_certificate(of_curve, encrypts=False)
    with pytest.raises(Invalid) as refused:
        identity_provider.check_certificate(of_curve, encrypts=True)
    assert (refused.value.field, refused.value.code) == ("encryption_certificate", "not_rsa")
