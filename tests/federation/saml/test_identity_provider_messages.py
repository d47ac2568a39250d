"""What applications bring to an identity provider, read without a pool: requests, logout messages and metadata."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from federation.saml import bindings, identity_provider, logout, messages, metadata, signing
from federation.saml.responses import NameId
from federation.saml.signing import SigningKey
from federation.saml.writing import put, written
from identity.foundation import destinations
from identity.foundation.errors import Invalid, LoginRefused
from pools.ports import BrowserMessage, RequestUnfulfilled, SamlName
from tests.federation.emulator import Answerer, Emulator, Reply, replied, running
from tests.federation.saml.identity_provider import Edit, certificate, nothing, posted, rsa_key
from tests.federation.saml.test_application_metadata import document
from tests.federation.saml.test_identity_provider import OURS, OWN, application
from tests.hosted.saml_application import ACS, ENTITY_ID, ITS_KEY, SLO, told_certificate
from tests.hosted.saml_upstream import sent

SIGNS = {"certificates": (told_certificate(),)}
STATE = "a state of ours"
PATH = "/metadata"


def signed_key() -> SigningKey:
    """Return the application's key."""
    return SigningKey(rsa_key(ITS_KEY), certificate(rsa_key(ITS_KEY)))


def asked(edit: Edit = nothing, *, is_signed: bool = False, issuer: str = ENTITY_ID) -> BrowserMessage:
    """Return a request to sign somebody in, as a form brings it."""
    root = messages.begin("AuthnRequest", issuer=issuer, destination=OWN.sso_url).root
    edit(root)
    root = signing.signed(root, signed_key()) if is_signed else root
    return BrowserMessage("", {"SAMLRequest": posted(written(root)), "RelayState": "theirs"})


def by_redirect(message: messages.Message, field: bindings.Field, *, state: str = "") -> BrowserMessage:
    """Return a message as the application's signed redirect brings it."""
    url = bindings.redirect_url(SLO, message.data, field=field, relay_state=state, key=rsa_key(ITS_KEY))
    return BrowserMessage(urlsplit(url).query, {})


def test_we_introduce_ourselves_by_metadata_that_are_signed() -> None:
    known = metadata.read(identity_provider.introduction(OWN))

    assert (known.entity_id, known.sso_redirect_url, known.sso_post_url) == (OWN.entity_id, OWN.sso_url, OWN.sso_url)
    assert known.certificates == (certificate(rsa_key(OURS)),)


@pytest.mark.parametrize(
    ("settings", "is_signed"), [({}, False), (SIGNS, True), ({**SIGNS, "signs_requests": False}, True)]
)
def test_a_request_is_read_signed_or_not_as_it_is_registered(settings: dict[str, Any], *, is_signed: bool) -> None:
    found = identity_provider.request(OWN, application(**settings), asked(is_signed=is_signed))

    assert (found.acs_url, found.relay_state, found.force_authn) == (ACS, "theirs", False)
    assert identity_provider.issuer_of(asked(), "SAMLRequest") == ENTITY_ID


def test_one_that_has_to_sign_and_does_not_is_refused() -> None:
    with pytest.raises(LoginRefused, match="could not be verified"):
        identity_provider.request(OWN, application(**SIGNS), asked())


def test_another_message_is_no_request() -> None:
    root = messages.begin("LogoutRequest", issuer=ENTITY_ID, destination=OWN.sso_url).root

    with pytest.raises(LoginRefused) as refused:
        identity_provider.request(OWN, application(), BrowserMessage("", {"SAMLRequest": posted(written(root))}))

    assert refused.value.detail == "saml request: another message"


def test_what_can_be_answered_is_refused_with_where_the_answer_goes() -> None:
    def passive(root: Any) -> None:  # noqa: ANN401 - an element
        put(root, "{urn:oasis:names:tc:SAML:2.0:protocol}NameIDPolicy", Format="urn:nobody:knows")

    with pytest.raises(RequestUnfulfilled) as refused:
        identity_provider.request(OWN, application(), asked(passive))

    found = refused.value
    assert (found.status, found.acs_url, found.relay_state) == ("InvalidNameIDPolicy", ACS, "theirs")


# -- signing out -----------------------------------------------------------------------------------------------------


def test_whom_an_application_signs_out_is_read() -> None:
    message = logout.request(
        issuer=ENTITY_ID, destination=OWN.slo_url, name_id=NameId("ada"), session_indexes=["_s1", "_s2"]
    )

    found = identity_provider.signed_out(OWN, application(**SIGNS), by_redirect(message, "SAMLRequest", state="theirs"))

    assert (found.id, found.name, found.session_indexes, found.relay_state) == (
        message.id,
        "ada",
        ("_s1", "_s2"),
        "theirs",
    )


def test_an_application_is_told_who_has_signed_out() -> None:
    url = identity_provider.sign_out(OWN, application(**SIGNS), SamlName("ada", "persistent", "_s1"), state=STATE)

    found = sent(url, to=SLO)
    assert found.is_signed_by(certificate(rsa_key(OURS)))
    assert found.relay_state == STATE


@pytest.mark.parametrize("code", ["Success", "Responder"])
def test_its_answer_is_good_where_it_says_so(code: str) -> None:
    url = identity_provider.sign_out(OWN, application(**SIGNS), SamlName("ada", "persistent", "_s1"), state=STATE)
    status = [f"urn:oasis:names:tc:SAML:2.0:status:{code}"]
    answer = logout.response(
        issuer=ENTITY_ID, destination=OWN.slo_url, in_response_to=sent(url, to=SLO).id, status=status
    )
    brought = by_redirect(answer, "SAMLResponse", state=STATE)

    if code == "Success":
        identity_provider.check_signed_out(OWN, application(**SIGNS), brought, state=STATE)
        return
    with pytest.raises(LoginRefused) as refused:
        identity_provider.check_signed_out(OWN, application(**SIGNS), brought, state=STATE)
    assert refused.value.detail == f"saml logout response: the application says {code}"


# -- metadata --------------------------------------------------------------------------------------------------------


class Place(Emulator):
    """Where an application's metadata are published."""

    def routes(self) -> Mapping[str, Answerer]:
        """Give them."""
        return {f"GET {PATH}": replied(Reply(body=document()))}


@pytest.fixture
def place() -> Iterator[Place]:
    """Return the place."""
    destinations.permits.cache_clear()
    found = Place()
    with running(found):
        yield found
    destinations.permits.cache_clear()


def test_metadata_are_read_at_an_address(place: Place) -> None:
    assert identity_provider.fetch_metadata(place.url + PATH) == document()


@pytest.mark.parametrize(
    ("url", "code"),
    [("ftp://sp.example", "metadata_address"), ("https://", "metadata_address"), ("{place}", "metadata_away")],
)
def test_an_address_at_which_there_are_none_is_an_operators_mistake(place: Place, url: str, code: str) -> None:
    place.instead[PATH] = replied(Reply(404))

    with pytest.raises(Invalid) as refused:
        identity_provider.fetch_metadata(url.replace("{place}", place.url + PATH))

    assert (refused.value.field, refused.value.code) == ("metadata_url", code)


@pytest.mark.parametrize(
    ("told", "code"),
    [("no certificate", "unreadable_certificate"), (base64.b64encode(b"x").decode(), "unreadable_certificate")],
)
def test_what_is_no_certificate_is_refused_at_its_field(told: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity_provider.check_certificate(told, encrypts=False)

    assert (refused.value.field, refused.value.code) == ("certificates", code)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (document().replace(b"urn:oasis:names:tc:SAML:2.0:protocol", b"urn:other"), "no_application"),
        (document(entityID2="x" * 300_000), "unreadable_metadata"),
        (document(validUntil="2020-01-01T00:00:00Z"), "expired_metadata"),
    ],
    ids=["another protocol", "too large", "over"],
)
def test_metadata_that_describe_no_application_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity_provider.read_metadata(data)

    assert refused.value.code == code
