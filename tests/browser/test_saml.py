"""Two Cognates of which one signs in the other's people by SAML, in Chromium: there, back, and out of both."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from tests import second_installation
from tests.browser.test_appearance import checked
from tests.hosted.world import PASSWORD, World
from tests.live import Live
from tests.pressing import submit

pytestmark = pytest.mark.browser
WELCOME, ABOVE = "Welcome back", "Above"


@pytest.fixture(scope="module")
def pools(live: Live, app_url: str) -> Iterator[tuple[World, World]]:
    """Return pools of two installations: the first sends its people to the second to sign in."""
    with second_installation.running(live) as other:
        up, down = World(live), World(other, callback=app_url)
        down.idp.create_identity_provider(
            UserPoolId=down.pool_id,
            ProviderName=ABOVE,
            ProviderType="SAML",
            ProviderDetails={"MetadataURL": f"{up.base}/saml2/idp/metadata", "IDPSignout": "true"},
            AttributeMapping={"email": "mail"},
        )
        down.client_id = down.app("By SAML", SupportedIdentityProviders=[ABOVE])
        register(up, f"{down.base}/saml2/metadata")
        yield down, up


def register(world: World, metadata_url: str) -> None:
    """Register an application by the address of its metadata, by the management API."""
    key = ".".join(world.live.access_key)
    given = {"client_id": world.client_id, "metadata_url": metadata_url, "attributes": {"mail": "email"}}
    where = f"{world.live.base_url}/api/v1/pools/{world.pool_id}/saml-applications"
    answer = requests.post(where, json=given, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    assert answer.status_code == 201, answer.text


def sign_in(down: World, up: World, page: Page) -> None:
    """Sign in at the pool below by the one above."""
    page.goto(down.url("/oauth2/authorize", identity_provider=ABOVE))
    expect(page).to_have_url(re.compile(re.escape(f"{up.base}/login")))
    submit(page, username=up.person(), password=PASSWORD)
    expect(page.get_by_role("heading")).to_have_text(WELCOME)


def test_people_come_by_another_cognate_without_a_word_between(pools: tuple[World, World], page: Page) -> None:
    down, up = pools

    sign_in(down, up, page)

    assert "code=" in page.url


def test_the_page_between_is_one_like_every_other_to_who_has_no_script(pools: tuple[World, World], page: Page) -> None:
    down, up = pools
    page.route("**/at_once*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(down.url("/oauth2/authorize", identity_provider=ABOVE))
    submit(page, username=up.person(), password=PASSWORD)

    expect(page.get_by_role("heading", level=1)).to_have_text("Back to the app")
    checked(page)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading")).to_have_text(WELCOME)


@pytest.mark.parametrize("begun", ["below", "above"])
def test_who_signs_out_of_one_is_signed_out_of_both(pools: tuple[World, World], page: Page, begun: str) -> None:
    down, up = pools
    sign_in(down, up, page)
    here, there = (down, up) if begun == "below" else (up, down)

    page.goto(f"{here.base}/account")
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert page.url.startswith(here.base)
    page.goto(f"{there.base}/account")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Your account")
