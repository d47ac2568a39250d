"""Signing in to applications of node-saml, which reads what a pool issues by xml-crypto, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from tests.federation.saml.identity_provider import DS, PERSISTENT, Edit, certificate, one, rsa_key
from tests.hosted.upstream import heading
from tests.interop import programs
from tests.interop.applications import GROUPS, Browser, Employer, rename
from tests.interop.organisations import is_encrypted
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

SETTINGS: dict[str, dict[str, bool]] = {
    "unsigned": {},
    "signed": {},
    "encrypted": {"encrypts": True},
    "begun": {"allows_unasked": True},
}
"""By what an application's path says of it, what it is registered with beside what it tells."""


class Lane(NamedTuple):
    """A pool, and where its applications are."""

    employer: Employer
    base: str

    def sign_in(self, browser: Browser, way: str, name: str) -> None:
        """Have somebody sign in, asked by an application."""
        browser.open(f"{self.base}/{way}/login")
        self.employer.sign_in(browser, name)
        assert browser.here.url == f"{self.base}/{way}/", browser.here.text


@pytest.fixture(scope="module")
def lane(live: Live) -> Iterator[Lane]:
    """Run the applications, which a pool knows from the start."""
    employer, key = Employer(live), rsa_key("node-saml's")
    settings = {
        "entityId": employer.metadata_url,
        "sso": f"{employer.world.base}/saml2/idp/sso",
        "slo": f"{employer.world.base}/saml2/idp/slo",
        "idpCert": employer.certificate,
        "key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "cert": certificate(key).public_bytes(Encoding.PEM).decode(),
    }
    with programs.in_node("saml_application.mjs", **settings) as base:
        for way, more in SETTINGS.items():
            told = requests.get(f"{base}/{way}/metadata", timeout=10).content
            # Its metadata tell of logout messages by POST, whichever of its methods an application takes them by.
            employer.register(told, slo_url=f"{base}/{way}/slo", **more)
        yield Lane(employer, base)


@pytest.mark.parametrize("way", ["unsigned", "signed", "encrypted"])
def test_who_signs_in_comes_to_the_page_they_wanted(lane: Lane, way: str) -> None:
    browser, name = lane.employer.browser(), lane.employer.person()

    browser.open(f"{lane.base}/{way}/login?page=7")
    lane.employer.sign_in(browser, name)

    assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == (way == "encrypted")
    assert browser.here.url == f"{lane.base}/{way}/7"
    found = browser.here.answer.json()
    assert (found["nameIDFormat"], found["spNameQualifier"]) == (PERSISTENT, f"{lane.base}/{way}")
    assert (found["mail"], sorted(found["member"])) == (f"{name}@example.org", sorted(GROUPS))


def test_sign_in_may_begin_at_the_pool(lane: Lane) -> None:
    browser, name = lane.employer.browser(), lane.employer.person()

    lane.employer.begin(browser, f"{lane.base}/begun", "7")
    lane.employer.sign_in(browser, name)

    assert browser.here.url == f"{lane.base}/begun/7"
    assert browser.here.answer.json()["mail"] == f"{name}@example.org"


def strip(root: etree._Element) -> None:
    """Take every signature away."""
    for found in list(root.iter(f"{{{DS}}}Signature")):
        found.getparent().remove(found)


def wrap(root: etree._Element) -> None:
    """Have an assertion that nobody signed beside the one that was signed."""
    forged = etree.fromstring(etree.tostring(one(root, "saml:Assertion")))
    forged.set("ID", "_forged")
    rename(forged)
    strip(forged)
    root.insert(2, forged)


@pytest.mark.parametrize("edit", [rename, strip, wrap])
def test_an_application_takes_nothing_that_was_edited(lane: Lane, edit: Edit) -> None:
    browser = lane.employer.browser(edit)
    browser.open(f"{lane.base}/signed/login")

    lane.employer.sign_in(browser, lane.employer.person())

    assert browser.here.status == 400
    assert "signature" in browser.here.text


@pytest.mark.parametrize(
    ("way", "refusal"),
    [("signed", "InResponseTo is not valid"), ("unsigned", "SAML assertion audience mismatch")],
    ids=["again", "another application's"],
)
def test_an_application_takes_what_is_for_it_and_once(lane: Lane, way: str, refusal: str) -> None:
    browser = lane.employer.browser()
    lane.sign_in(browser, "signed", lane.employer.person())

    given = browser.carried[-1]
    answered = requests.post(f"{lane.base}/{way}/acs", data=given, allow_redirects=False, timeout=10)

    assert answered.status_code == 400
    assert refusal in answered.text


@pytest.mark.parametrize("way", ["signed", "encrypted"])
def test_who_signs_out_there_is_signed_out_here_and_of_the_other(lane: Lane, way: str) -> None:
    browser, elsewhere, name = lane.employer.browser(), lane.employer.browser(), lane.employer.person()
    for each in (browser, elsewhere):
        lane.sign_in(each, way, name)
    browser.open(f"{lane.base}/begun/login")
    assert browser.here.status == 200

    browser.open(f"{lane.base}/{way}/logout")

    assert (browser.here.status, browser.here.text) == (200, "signed out")
    assert not lane.employer.knows(browser)
    assert lane.employer.knows(elsewhere)
    assert browser.open(f"{lane.base}/begun/").status == 401
    assert elsewhere.open(f"{lane.base}/{way}/").status == 200


def test_who_signs_out_here_is_signed_out_there(lane: Lane) -> None:
    browser = lane.employer.browser()
    lane.sign_in(browser, "signed", lane.employer.person())
    browser.open(f"{lane.base}/encrypted/login")

    page = lane.employer.sign_out(browser)

    assert heading(page) == "You are signed out"
    assert [browser.open(f"{lane.base}/{way}/").status for way in ("signed", "encrypted")] == [401, 401]


def test_a_request_to_sign_out_that_nobody_signed_ends_nothing(lane: Lane) -> None:
    browser = lane.employer.browser()
    lane.sign_in(browser, "unsigned", lane.employer.person())

    page = browser.open(f"{lane.base}/unsigned/logout")

    assert (page.status, heading(page)) == (400, "This request could not be checked")
    assert lane.employer.knows(browser)
