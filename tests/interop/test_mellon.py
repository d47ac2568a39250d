"""Signing in to applications behind mod_auth_mellon, which reads what a pool issues by lasso, and out again."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
import requests

from tests import servers
from tests.hosted.upstream import heading
from tests.interop import apache
from tests.interop.apache import Lane
from tests.interop.applications import GROUPS, Employer, rename
from tests.interop.organisations import is_encrypted
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

NEEDS = "mod_auth_mellon (apt-get install --no-install-recommends libapache2-mod-auth-mellon)"
SETTINGS: dict[str, dict[str, bool]] = {"plain": {}, "encrypted": {"encrypts": True}, "begun": {"allows_unasked": True}}
"""By the path of an application, what it is registered with beside what it tells."""
APPLICATION = """
<Location /{path}>
    AuthType Mellon
    MellonEnable auth
    Require valid-user
    MellonEndpointPath /{path}/mellon
    MellonVariable {path}
    MellonSecureCookie Off
    MellonCookieSameSite None
    MellonSPentityId {base}/{path}
    MellonSPPrivateKeyFile {folder}/key.pem
    MellonSPCertFile {folder}/certificate.pem
    MellonIdPMetadataFile {folder}/pool.xml
    MellonMergeEnvVars On "|"
    {told}
</Location>
"""
TOLD = apache.told({"Person": "MELLON_NAME_ID", "Mail": "MELLON_mail", "Member": "MELLON_member"})


@pytest.fixture(scope="module")
def lane(live: Live) -> Iterator[Lane]:
    """Run the applications, which a pool knows from the start."""
    if not apache.has("mod_auth_mellon"):
        pytest.skip(f"needs: {NEEDS}")
    employer, port = Employer(live), servers.free_port()
    base = f"http://127.0.0.1:{port}"
    with apache.folder() as folder:
        apache.introduce(employer, folder, "mellon's")
        more = "".join(APPLICATION.format(path=each, base=base, folder=folder, told=TOLD) for each in SETTINGS)
        modules = {"auth_mellon_module": "mod_auth_mellon"}
        with apache.started(folder, port, modules, list(SETTINGS), more):
            for path, chosen in SETTINGS.items():
                told = requests.get(f"{base}/{path}/mellon/metadata", timeout=10).content
                employer.register(told, **chosen)
            yield Lane(employer, base)


@pytest.mark.parametrize("path", ["plain", "encrypted"])
def test_who_signs_in_comes_to_the_page_they_wanted(lane: Lane, path: str) -> None:
    browser, name = lane.employer.browser(), lane.employer.person()

    browser.open(f"{lane.base}/{path}/?page=7")
    lane.employer.sign_in(browser, name)

    assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == (path == "encrypted")
    assert browser.here.url == f"{lane.base}/{path}/?page=7"
    found = browser.here.answer.headers
    assert len(found["Person"]) >= 32
    groups = html.unescape(found["Member"]).split("|")  # it gives values as they are written in XML
    assert (found["Mail"], sorted(groups)) == (f"{name}@example.org", sorted(GROUPS))


def test_sign_in_may_begin_at_the_pool(lane: Lane) -> None:
    browser, name = lane.employer.browser(), lane.employer.person()

    lane.employer.begin(browser, f"{lane.base}/begun", f"{lane.base}/begun/?page=7")
    lane.employer.sign_in(browser, name)

    assert browser.here.url == f"{lane.base}/begun/?page=7"
    assert browser.here.answer.headers["Mail"] == f"{name}@example.org"


def test_an_application_takes_nothing_that_was_edited(lane: Lane) -> None:
    browser = lane.employer.browser(rename)
    browser.open(f"{lane.base}/plain/")

    page = lane.employer.sign_in(browser, lane.employer.person())

    assert page.status == 400
    assert not lane.knows(browser, "plain")


@pytest.mark.parametrize("path", ["plain", "encrypted"])
def test_who_signs_out_there_is_signed_out_here_and_of_the_other(lane: Lane, path: str) -> None:
    browser, elsewhere, name = lane.employer.browser(), lane.employer.browser(), lane.employer.person()
    for each in (browser, elsewhere):
        lane.sign_in(each, path, name)
    browser.open(f"{lane.base}/begun/")
    assert lane.knows(browser, "begun")

    page = browser.open(f"{lane.base}/{path}/mellon/logout?ReturnTo={lane.base}/")

    assert (page.status, page.url) == (200, f"{lane.base}/")
    assert not lane.knows(browser, path)
    assert not lane.knows(browser, "begun")
    assert not lane.employer.knows(browser)
    assert lane.employer.knows(elsewhere)
    assert lane.knows(elsewhere, path)


def test_who_signs_out_here_is_signed_out_there(lane: Lane) -> None:
    browser = lane.employer.browser()
    lane.sign_in(browser, "plain", lane.employer.person())
    browser.open(f"{lane.base}/encrypted/")
    assert lane.knows(browser, "encrypted")

    page = lane.employer.sign_out(browser)

    assert heading(page) == "You are signed out"
    assert [lane.knows(browser, path) for path in ("plain", "encrypted")] == [False, False]
