"""Signing in at LemonLDAP::NG, and out again: plain and encrypted, each request of ours signed, as its metadata ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.hosted.upstream import heading
from tests.interop import lemonldap
from tests.interop.lemonldap import LemonLdap
from tests.interop.organisations import Organisation, is_encrypted
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

MAPPING = {"email": "mail"}


class Lane(NamedTuple):
    """The provider, and the pools that it knows."""

    provider: LemonLdap
    plain: Organisation
    encrypted: Organisation


@pytest.fixture(scope="module")
def lane(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """Run LemonLDAP::NG for two pools."""
    plain, encrypted = Organisation(live), Organisation(live)
    pools = {plain: {}, encrypted: {"EncryptionMode": "assertion"}}
    with lemonldap.started(tmp_path_factory.mktemp("lemonldap"), pools) as provider:
        plain.trust(MAPPING, MetadataURL=provider.metadata_url, IDPSignout="true", IDPInit="true")
        encrypted.trust(MAPPING, MetadataURL=provider.metadata_url, IDPSignout="true", EncryptedResponses="true")
        yield Lane(provider, plain, encrypted)


@pytest.mark.parametrize("how", ["plain", "encrypted"])
def test_who_signs_in_there_comes_back_as_the_same_person(lane: Lane, how: str) -> None:
    staff: Organisation = getattr(lane, how)
    people = set()
    for _ in range(2):
        browser = staff.browser()

        staff.depart(browser)
        lane.provider.sign_in(browser)

        assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == (how == "encrypted")
        found = staff.told(browser.here)
        assert found["email"] == "dwho@badwolf.org"
        people.add(found["sub"])
    assert len(people) == 1


@pytest.mark.parametrize("how", ["plain", "encrypted"])
def test_who_signs_out_here_is_signed_out_there(lane: Lane, how: str) -> None:
    staff: Organisation = getattr(lane, how)
    browser = staff.browser()
    staff.depart(browser)
    lane.provider.sign_in(browser)

    page = staff.sign_out(browser)

    assert heading(page) == "You are signed out"
    assert not staff.knows(browser)
    assert staff.depart(browser).url.startswith(lane.provider.base)


def test_who_begins_at_its_own_pages_comes_to_the_app(lane: Lane) -> None:
    browser = lane.plain.browser()

    browser.open(lane.provider.portal(lane.plain))
    lane.provider.sign_in(browser)

    assert lane.plain.told(browser.here, verifier="")["email"] == "dwho@badwolf.org"


def test_who_signs_out_there_is_signed_out_here(lane: Lane) -> None:
    staff = lane.plain
    browser, elsewhere = staff.browser(), staff.browser()
    for each in (browser, elsewhere):
        staff.depart(each)
        lane.provider.sign_in(each)

    browser.open(lane.provider.sign_out)
    browser.open_frames()

    assert not staff.knows(browser)
    assert staff.knows(elsewhere)
