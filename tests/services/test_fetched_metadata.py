"""Metadata of SAML providers by address: read when one is made and every six hours, and the last good ones kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
import time_machine

from identity.foundation import clock, destinations
from identity.foundation.errors import Invalid
from pools.models import ISSUER, IdentityProvider, UserPool
from pools.services.providers import fetching, health, identity_providers
from tests.factories import BY
from tests.federation.emulator import Answerer, Emulator, Reply, replied, running
from tests.hosted.saml_upstream import SamlProvider

PATH = "/metadata"
OTHER = "https://other.example/idp"


class Place(Emulator):
    """Where metadata are published."""

    def routes(self) -> Mapping[str, Answerer]:
        """Give a provider's."""
        return {f"GET {PATH}": replied(Reply(body=SamlProvider().metadata.encode()))}

    def publish(self, metadata: str = "", status: int = 200) -> None:
        """Give something else from now on."""
        self.instead[PATH] = replied(Reply(status, metadata.encode()))


@pytest.fixture
def place() -> Iterator[Place]:
    """Return a place that publishes a provider's metadata."""
    destinations.permits.cache_clear()
    found = Place()
    with running(found):
        yield found
    destinations.permits.cache_clear()


def make(pool: UserPool, place: Place, **details: str) -> IdentityProvider:
    """Add a provider by its address."""
    given = {"MetadataURL": place.url + PATH, **details}
    return identity_providers.create(pool, "Staff", kind="SAML", details=given, by=BY)


def later(hours: float) -> time_machine.travel:
    """Go on so many hours from now."""
    return time_machine.travel(clock.now() + timedelta(hours=hours), tick=True)


def certificates(provider: IdentityProvider) -> list[str]:
    """Return the certificates that are kept of a provider."""
    found: list[str] = json.loads(provider.fetched["metadata"])["certificates"]
    return found


def federation(*entity_ids: str) -> str:
    """Return the metadata of several providers."""
    each = "".join(SamlProvider(entity_id=name, key=name).metadata for name in entity_ids)
    return f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{each}</md:EntitiesDescriptor>'


def test_metadata_are_read_when_a_provider_is_made_and_its_addresses_told(pool: UserPool, place: Place) -> None:
    provider = make(pool, place)

    assert provider.fetched[ISSUER] == SamlProvider().entity_id
    told = identity_providers.described_details(pool, provider)
    assert told == {
        "ActiveEncryptionCertificate": told["ActiveEncryptionCertificate"],
        "MetadataURL": place.url + PATH,
        "SSORedirectBindingURI": "https://idp.example/sso",
        "SLORedirectBindingURI": "https://idp.example/slo",
    }
    assert [(each.what, each.problem) for each in health.of(provider)] == [("metadata", "")]


def test_what_was_described_may_be_written_back(pool: UserPool, place: Place) -> None:
    provider = make(pool, place, EncryptedResponses="true", IDPInit="true")
    told = identity_providers.described_details(pool, provider)

    changed = identity_providers.update(pool, "Staff", changes={"details": told}, by=BY)

    assert identity_providers.described_details(pool, changed) == told


def test_a_new_certificate_is_known_within_six_hours(pool: UserPool, place: Place) -> None:
    before = certificates(make(pool, place))
    place.publish(SamlProvider(key="the next").metadata)

    with later(5):
        assert fetching.refresh_due() == 0
    with later(6.1):
        assert fetching.refresh_due() == 1
        assert fetching.refresh_due() == 0

    after = certificates(identity_providers.named(pool, "Staff"))
    assert len(after) == 1
    assert after != before


@pytest.mark.parametrize(
    ("metadata", "status", "problem"),
    [
        ("", 500, "answered_status"),
        ("", 302, "answered_status"),
        ("no metadata", 200, "unreadable_metadata"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 200, "unreadable_metadata"),
        ("x" * (1 << 20 + 1), 200, "answer_too_large"),
        (federation("a:1", "a:2"), 200, "several_providers"),
    ],
    ids=["500", "a redirect", "nonsense", "entities", "megabytes", "a federation's"],
)
def test_a_server_that_answers_badly_costs_nothing_and_health_says_so(
    pool: UserPool, place: Place, metadata: str, status: int, problem: str
) -> None:
    before = make(pool, place).fetched
    place.publish(metadata, status=status)

    with later(6.1):
        assert fetching.refresh_due() == 1

    provider = identity_providers.named(pool, "Staff")
    assert provider.fetched == before
    [document] = health.of(provider)
    assert (document.problem, document.failed_at is None) == (problem, False)
    with later(6.2):
        assert fetching.refresh_due() == 0
    place.publish(SamlProvider().metadata)
    with later(12.5):
        assert fetching.refresh_due() == 1
    assert health.of(identity_providers.named(pool, "Staff"))[0].problem == ""


def test_nobody_is_added_by_an_address_at_which_there_are_no_metadata(pool: UserPool, place: Place) -> None:
    place.publish(status=404)

    with pytest.raises(Invalid) as caught:
        make(pool, place)

    assert (caught.value.field, caught.value.code) == ("provider_details.MetadataURL", "metadata_away")
    assert not IdentityProvider.objects.filter(pool_id=pool.pk).exists()


def test_a_federations_metadata_are_read_in_the_background(pool: UserPool, place: Place) -> None:
    place.publish(federation("https://one.example", OTHER, "https://three.example"))

    provider = make(pool, place, EntityId=OTHER)

    assert (place.asked, provider.fetched) == ([], {})
    assert health.of(provider)[0].read_at is None
    assert fetching.refresh_due() == 1
    assert identity_providers.named(pool, "Staff").fetched[ISSUER] == OTHER


def test_what_was_read_of_details_that_are_others_now_is_not_kept(pool: UserPool, place: Place) -> None:
    provider = make(pool, place)
    mine = {"MetadataFile": SamlProvider(entity_id=OTHER).metadata}
    identity_providers.update(pool, "Staff", changes={"details": mine}, by=BY)

    fetching.refresh(provider)

    assert identity_providers.named(pool, "Staff").fetched[ISSUER] == OTHER
