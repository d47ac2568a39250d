"""A pool as a service provider: what it sends to an identity provider, and what it makes of what comes back."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation import saml_details as names
from federation.saml import documents, service_provider, signatures
from identity.foundation import destinations
from identity.foundation.errors import Invalid, LoginRefused, OutsideUnavailable
from pools.ports import MESSAGE, NO_WISHES, ExternalIdentity, UpstreamWishes
from tests.federation.emulator import Answerer, Emulator, Reply, replied, running
from tests.federation.saml.edits import drop, set_at, then
from tests.federation.saml.encryptor import OURS, Encryptor
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    ISSUER,
    MD,
    NAME,
    NS,
    PASSWORD,
    PERSISTENT,
    REQUEST,
    IdentityProvider,
    certificate,
    posted,
    rsa_key,
    written,
)
from tests.federation.saml.pool import POOL, SESSION, STATE, details, pair, sent
from tests.federation.saml.reader import UNASKED
from tests.federation.saml.test_metadata import ROLE, SLO, SLO_REDIRECT, SSO, SSO_POST, SSO_REDIRECT, published

KEPT_REQUEST = {service_provider.REQUEST: REQUEST}
ENCRYPTED = {names.ENCRYPTED: names.TRUE}


def arrive(
    provider: IdentityProvider, known: Mapping[str, str], kept: Mapping[str, str] = KEPT_REQUEST
) -> ExternalIdentity:
    """Return who comes back."""
    return service_provider.arrival(known, POOL, kept, {"SAMLResponse": posted(provider.response())})


# -- metadata --------------------------------------------------------------------------------------------------------


def test_what_is_kept_of_metadata_is_what_they_say() -> None:
    found = details(set_at(".", validUntil="2040-01-01T00:00:00Z"))

    known = service_provider.known(found)

    assert known.entity_id == found["issuer"] == ISSUER
    assert known.certificates == (certificate(rsa_key()),)
    assert known.valid_until == datetime(2040, 1, 1, tzinfo=UTC)
    assert known.name_id_formats == (PERSISTENT,)
    assert found["ends"] == "2045-01-01T00:00:00+00:00"
    assert service_provider.known(details()).valid_until is None


def test_a_provider_that_nobody_can_be_sent_to_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        details(then(drop(SSO_REDIRECT), drop(SSO_POST)))

    assert caught.value.code == "no_sso_url"


def test_of_a_provider_that_nobody_has_read_yet_nothing_is_known() -> None:
    with pytest.raises(OutsideUnavailable) as caught:
        service_provider.known({})

    assert caught.value.code == "not_read_yet"
    assert service_provider.told({}, POOL).keys() == {names.CERTIFICATE}


PATH = "/metadata"


class Place(Emulator):
    """Where metadata are published: of two providers."""

    def routes(self) -> Mapping[str, Answerer]:
        """Give them."""
        first, second = (written(published()).decode() for _ in range(2))
        both = first + second.replace(ISSUER, "https://other.example")
        body = f'<md:EntitiesDescriptor xmlns:md="{MD}">{both}</md:EntitiesDescriptor>'
        return {f"GET {PATH}": replied(Reply(body=body.encode()))}


@pytest.fixture
def place() -> Iterator[Place]:
    destinations.permits.cache_clear()
    found = Place()
    with running(found):
        yield found
    destinations.permits.cache_clear()


def test_metadata_at_an_address_are_read(place: Place) -> None:
    place.instead[PATH] = replied(Reply(body=written(published())))

    found = service_provider.fetched({names.URL: place.url + PATH}, in_job=False)

    assert service_provider.known(found).entity_id == ISSUER


def test_a_federations_metadata_are_read_by_a_job_alone(place: Place) -> None:
    given = {names.URL: place.url + PATH, names.ENTITY_ID: "https://other.example"}

    assert service_provider.fetched(given, in_job=False) == {}
    assert service_provider.fetched(given, in_job=True)["issuer"] == "https://other.example"


def test_metadata_that_are_away_are_an_operators_mistake_or_the_networks(place: Place) -> None:
    place.instead[PATH] = replied(Reply(404))
    given = {names.URL: place.url + PATH}

    with pytest.raises(Invalid) as mistake:
        service_provider.fetched(given, in_job=False)
    with pytest.raises(OutsideUnavailable) as away:
        service_provider.fetched(given, in_job=True)

    assert mistake.value.code == "metadata_away"
    assert (away.value.code, away.value.parameters) == ("answered_status", {"status": 404})


def test_what_follows_from_metadata_is_told_by_amazons_names() -> None:
    told = service_provider.told(details(more=ENCRYPTED), POOL)

    own = base64.b64encode(pair("the next").certificate).decode()
    assert told == {names.SSO: SSO, names.SLO: SLO, names.CERTIFICATE: own}
    assert service_provider.told(details(drop(SLO_REDIRECT)), POOL) == {names.SSO: SSO, names.CERTIFICATE: own}


def test_a_pool_introduces_itself_by_signed_metadata() -> None:
    root = documents.parse(service_provider.introduction(POOL))

    known = [certificate(rsa_key("signing"))]
    assert signatures.verified(root, known).get("entityID") == AUDIENCE
    certificates = root.xpath("//md:KeyDescriptor//ds:X509Certificate/text()", namespaces=NS)
    wanted = [base64.b64encode(pair(name).certificate).decode() for name in ("signing", "the next")]
    assert ["".join(each.split()) for each in certificates] == wanted


# -- signing in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wants", "algorithm", "is_signed"), [("false", "", False), ("false", "rsa-sha256", True), ("true", "", True)]
)
def test_a_request_is_signed_where_either_side_wants_it(wants: str, algorithm: str, is_signed: bool) -> None:
    known = details(set_at(ROLE, WantAuthnRequestsSigned=wants), {names.SIGNED: algorithm})

    way = service_provider.departure(known, POOL, state=STATE, wishes=NO_WISHES)

    root, fields = sent(way.url)
    assert way.url.startswith(f"{SSO}?")
    assert way.kept == {service_provider.REQUEST: root.get("ID")}
    assert fields["RelayState"] == STATE
    assert (root.get("AssertionConsumerServiceURL"), root.get("Destination")) == (ACS, SSO)
    assert ("Signature" in fields) == is_signed


@pytest.mark.parametrize(
    ("prompt", "is_forced"), [("", None), ("none", None), ("login", "true"), ("consent select_account", "true")]
)
def test_who_shall_sign_in_anew_does_so_there(prompt: str, is_forced: str | None) -> None:
    way = service_provider.departure(details(), POOL, state=STATE, wishes=UpstreamWishes(prompt=prompt))

    assert sent(way.url)[0].get("ForceAuthn") == is_forced


def test_who_comes_back_is_whom_the_assertion_names() -> None:
    found = arrive(IdentityProvider(), details())

    assert found.subject == NAME
    assert found.claims == {
        "email": NAME,
        "http://schemas.xmlsoap.org/claims/Group": "[admins,users+%26+%3Cothers%3E]",
        "given name": "Ada Ünïcode 中",
    }
    assert found.acr == PASSWORD
    assert found.session == SESSION
    assert found.session_name == "_s1"
    assert found.once.startswith("_")
    assert found.once_until is not None
    assert found.authenticated_at is not None
    assert found.once_until - found.authenticated_at == timedelta(seconds=5 + 300 + 60)


def test_an_assertion_that_is_good_for_ever_is_kept_while_there_are_dates() -> None:
    for_ever = set_at("//saml:SubjectConfirmationData", NotOnOrAfter="9999-12-31T23:59:59Z")

    assert arrive(IdentityProvider(before=for_ever), details()).once_until == datetime(9000, 1, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["a"], "a"),
        (["[a,b]"], "[a,b]"),
        (["a", "b"], "[a,b]"),
        (["a,b", "c"], "[a%2Cb,c]"),
        (["~.-*_ /", "é"], "[%7E.-*_+%2F,%C3%A9]"),
        (["", ""], "[,]"),
    ],
)
def test_several_values_are_one_text(values: list[str], text: str) -> None:
    assert service_provider.listed(values) == text


def test_nobody_comes_unasked_unless_an_operator_lets_them() -> None:
    provider = IdentityProvider(before=UNASKED)

    with pytest.raises(LoginRefused) as caught:
        arrive(provider, details(), {})

    assert caught.value.detail == "saml response: nobody was sent to the provider, and it may not send people by itself"
    assert arrive(provider, details(more={names.UNASKED: names.TRUE}), {}).subject == NAME


def test_an_encrypted_assertion_is_read_by_either_key_and_has_to_be_encrypted_where_that_is_wanted() -> None:
    for name in (OURS, "the next"):
        provider = IdentityProvider(encrypt=Encryptor(keys=[name]))
        assert arrive(provider, details(more=ENCRYPTED)).subject == NAME
        assert arrive(provider, details()).subject == NAME
    with pytest.raises(LoginRefused, match="could not be verified"):
        arrive(IdentityProvider(encrypt=Encryptor(keys=["a stranger's"])), details())

    with pytest.raises(LoginRefused) as caught:
        arrive(IdentityProvider(), details(more=ENCRYPTED))
    assert caught.value.detail == "saml response: its assertion is not encrypted"


def test_a_refusal_shows_an_operator_what_came_and_nothing_of_people() -> None:
    with pytest.raises(LoginRefused) as caught:
        arrive(IdentityProvider(key="a stranger's"), details())

    shown = str(caught.value.parameters[MESSAGE])
    assert ISSUER in shown
    assert NAME not in shown


def test_an_answer_without_a_response_is_refused() -> None:
    with pytest.raises(LoginRefused) as caught:
        service_provider.arrival(details(), POOL, KEPT_REQUEST, {})

    assert caught.value.detail == "saml document: none in the answer"
    assert caught.value.parameters[MESSAGE] == ""


# -- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_of_a_pool_is_an_rsa_key() -> None:
    other = ec.generate_private_key(ec.SECP256R1())

    assert isinstance(service_provider.private(pair(OURS).private), rsa.RSAPrivateKey)
    with pytest.raises(TypeError, match="RSA"):
        service_provider.private(other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize("more", [{}, {names.SIGNED: "rsa-sha256"}], ids=["plain", "signed"])
def test_who_goes_to_a_provider_that_takes_no_redirect_brings_a_form(more: dict[str, str]) -> None:
    there = service_provider.departure(details(drop(SSO_REDIRECT), more=more), POOL, state="s", wishes=NO_WISHES)

    assert there.url == service_provider.known(details()).sso_post_url
    assert there.fields["RelayState"] == "s"
    root = documents.parse(documents.posted(there.fields["SAMLRequest"]))
    assert root.get("ID") == there.kept["request_id"]
    assert signatures.is_signed(root) is bool(more)
