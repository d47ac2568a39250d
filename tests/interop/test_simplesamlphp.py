"""Signing in at SimpleSAMLphp, and out again: plain, encrypted, by signed requests, from its own pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.hosted.upstream import accounts, refusals
from tests.interop import simplesamlphp
from tests.interop.organisations import Organisation, is_encrypted
from tests.interop.simplesamlphp import SimpleSaml
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

MAPPING = {"email": "mail", "name": "displayName"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSaml]:
    """Run SimpleSAMLphp."""
    with simplesamlphp.started(tmp_path_factory.mktemp("simplesamlphp")) as found:
        yield found


@pytest.fixture
def staff(live: Live) -> Organisation:
    """Return a pool that trusts nobody yet."""
    return Organisation(live)


@pytest.mark.parametrize("signed", ["response", "assertion", "both"])
@pytest.mark.parametrize("cipher", ["", "2001/04/xmlenc#aes128-cbc", "2009/xmlenc11#aes256-gcm"])
def test_who_signs_in_there_comes_back(staff: Organisation, provider: SimpleSaml, signed: str, cipher: str) -> None:
    settings: dict[str, bool | str] = {
        "saml20.sign.response": signed in {"response", "both"},
        "saml20.sign.assertion": signed in {"assertion", "both"},
        "assertion.encryption": bool(cipher),
        "sharedkey_algorithm": f"http://www.w3.org/{cipher}",
    }
    provider.enrol(staff, settings)
    details = {"EncryptedResponses": "true"} if cipher else {}
    staff.trust(MAPPING, MetadataURL=provider.metadata_url, **details)
    browser = staff.browser()

    staff.depart(browser)
    provider.sign_in(browser)

    assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == bool(cipher)
    found = staff.told(browser.here)
    assert found["cognito:username"] == "Staff_Ada.Lovelace"
    assert (found["email"], found["identities"][0]["userId"]) == ("ada@corp.example", "Ada.Lovelace")


def test_its_metadata_may_be_a_file(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff)
    staff.trust(MAPPING, MetadataFile=requests.get(provider.metadata_url, timeout=10).text)
    browser = staff.browser()

    staff.depart(browser)
    provider.sign_in(browser)

    assert browser.here.code


def test_what_it_does_not_encrypt_is_refused_where_it_has_to(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff)
    staff.trust(MAPPING, MetadataURL=provider.metadata_url, EncryptedResponses="true")
    browser = staff.browser()

    staff.depart(browser)
    provider.sign_in(browser)

    assert accounts(staff.world) == []
    assert refusals(staff.world, staff.name)[0]["check"].startswith("saml response")


def test_it_takes_signed_requests_alone_where_it_is_told_to(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff, {"validate.authnrequest": True})
    staff.trust(MAPPING, MetadataURL=provider.metadata_url)
    browser = staff.browser()

    staff.depart(browser)
    assert "no signature found on message" in browser.here.text
    change = {"MetadataURL": provider.metadata_url, "RequestSigningAlgorithm": "rsa-sha256"}
    staff.world.idp.update_identity_provider(
        UserPoolId=staff.world.pool_id, ProviderName=staff.name, ProviderDetails=change
    )
    staff.depart(browser)
    provider.sign_in(browser)

    assert browser.here.code


def test_who_has_to_sign_in_anew_has_to_there(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff)
    staff.trust(MAPPING, MetadataURL=provider.metadata_url)
    browser = staff.browser()
    staff.depart(browser)
    provider.sign_in(browser)

    assert staff.depart(browser, prompt="login").url.startswith(provider.base)
    provider.sign_in(browser)

    assert browser.here.code


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_who_begins_at_its_own_pages_comes_to_the_app(
    staff: Organisation, provider: SimpleSaml, encrypted: bool
) -> None:
    provider.enrol(staff, {"assertion.encryption": encrypted})
    more = {"EncryptedResponses": "true"} if encrypted else {}
    staff.trust(MAPPING, MetadataURL=provider.metadata_url, IDPInit="true", **more)
    browser = staff.browser()

    browser.open(provider.portal(staff))
    provider.sign_in(browser)

    assert browser.carried[-1]["RelayState"] == staff.portal
    assert staff.told(browser.here, verifier="")["cognito:username"] == "Staff_Ada.Lovelace"


def test_nobody_comes_from_its_own_pages_where_it_is_not_let(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff)
    staff.trust(MAPPING, MetadataURL=provider.metadata_url)
    browser = staff.browser()

    browser.open(provider.portal(staff))
    provider.sign_in(browser)

    assert browser.here.status == 400
    assert accounts(staff.world) == []


def test_who_signs_out_here_is_signed_out_there(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff)
    staff.trust(MAPPING, MetadataURL=provider.metadata_url, IDPSignout="true")
    browser = staff.browser()
    staff.depart(browser)
    provider.sign_in(browser)

    page = staff.sign_out(browser)

    assert page.read.title.startswith("You are signed out"), page.text
    assert not staff.knows(browser)
    assert staff.depart(browser).url.startswith(provider.base)


def test_who_signs_out_there_is_signed_out_here(staff: Organisation, provider: SimpleSaml) -> None:
    provider.enrol(staff)
    staff.trust(MAPPING, MetadataURL=provider.metadata_url)
    browser, elsewhere = staff.browser(), staff.browser()
    for each in (browser, elsewhere):
        staff.depart(each)
        provider.sign_in(each)

    page = browser.open(provider.sign_out)

    assert page.url.startswith(provider.base)
    assert not staff.knows(browser)
    assert staff.knows(elsewhere)
