"""Signing in at Keycloak by SAML, and out again: plain and encrypted, requests signed, as its metadata ask."""

from __future__ import annotations

import pytest

from tests.hosted.upstream import heading
from tests.interop.keycloak import Keycloak
from tests.interop.organisations import Organisation, is_encrypted
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

MAPPING = {"email": "mail"}


@pytest.fixture
def staff(live: Live) -> Organisation:
    """Return a pool that trusts nobody yet."""
    return Organisation(live)


@pytest.mark.parametrize(
    ("attributes", "details", "encrypted"),
    [
        ({"saml.encrypt": "false"}, {}, False),
        ({}, {}, True),
        ({}, {"EncryptedResponses": "true"}, True),
    ],
    ids=["plain", "encrypted as our metadata let it", "encrypted as it has to"],
)
def test_who_signs_in_there_comes_back(
    staff: Organisation,
    keycloak_server: Keycloak,
    attributes: dict[str, str],
    details: dict[str, str],
    *,
    encrypted: bool,
) -> None:
    keycloak_server.enrol(staff, attributes)
    staff.trust(MAPPING, MetadataURL=keycloak_server.metadata_url, **details)
    browser = staff.browser()

    staff.depart(browser)
    keycloak_server.sign_in(browser)

    assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == encrypted
    found = staff.told(browser.here)
    assert (found["cognito:username"], found["email"]) == ("Staff_ada", "ada@id.example")


def test_who_signs_out_here_is_signed_out_there(staff: Organisation, keycloak_server: Keycloak) -> None:
    keycloak_server.enrol(staff)
    staff.trust(MAPPING, MetadataURL=keycloak_server.metadata_url, IDPSignout="true")
    browser = staff.browser()
    staff.depart(browser)
    keycloak_server.sign_in(browser)

    page = staff.sign_out(browser)

    assert heading(page) == "You are signed out"
    assert not staff.knows(browser)
    assert staff.depart(browser).url.startswith(keycloak_server.base)


def test_who_signs_out_there_is_signed_out_here(staff: Organisation, keycloak_server: Keycloak) -> None:
    keycloak_server.enrol(staff)
    staff.trust(MAPPING, MetadataURL=keycloak_server.metadata_url)
    browser, elsewhere = staff.browser(), staff.browser()
    for each in (browser, elsewhere):
        staff.depart(each)
        keycloak_server.sign_in(each)

    browser.open(keycloak_server.sign_out)
    browser.agree()

    assert not staff.knows(browser)
    assert staff.knows(elsewhere)


def test_who_begins_at_its_own_pages_comes_to_the_app(staff: Organisation, keycloak_server: Keycloak) -> None:
    staff.trust(MAPPING, MetadataURL=keycloak_server.metadata_url, IDPInit="true")
    keycloak_server.enrol(
        staff,
        {"saml_idp_initiated_sso_url_name": staff.world.pool_id, "saml_idp_initiated_sso_relay_state": staff.portal},
    )
    browser = staff.browser()

    browser.open(keycloak_server.portal(staff))
    keycloak_server.sign_in(browser)

    assert staff.told(browser.here, verifier="")["cognito:username"] == "Staff_ada"
