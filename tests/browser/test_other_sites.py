"""What a page of another site can do with ours in somebody's browser: neither frame it, nor ask it in silence."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hosted.world import PASSWORD, World
from tests.pressing import submit

pytestmark = pytest.mark.browser

SETTLED = 1000
"""Milliseconds in which what is refused would have happened."""
FRAME = """(url) => {
  const frame = document.createElement("iframe");
  frame.name = "framed";
  frame.src = url;
  document.body.append(frame);
}"""
PLANT = """(url) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture
def complaints() -> list[str]:
    """Return what the browser complains about: here it should."""
    return []


@pytest.fixture
def person(browser: Browser, pool: World, complaints: list[str]) -> Iterator[Page]:
    """Return a page of somebody who is signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{pool.base}/account?client_id={pool.client_id}")
    submit(page, username=pool.person(), password=PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    assert complaints == []
    yield page
    context.close()


@pytest.mark.parametrize("path", ["/login", "/account"])
def test_no_page_of_ours_is_framed(pool: World, app_url: str, person: Page, complaints: list[str], path: str) -> None:
    person.goto(app_url)

    person.evaluate(FRAME, pool.url(path))

    person.wait_for_timeout(SETTLED)
    assert [said for said in complaints if "frame-ancestors 'none'" in said]
    assert [frame.url for frame in person.frames] == [app_url, "chrome-error://chromewebdata/"]


def test_a_frame_on_another_site_is_told_that_nobody_is_signed_in(pool: World, app_url: str, person: Page) -> None:
    """The session's cookie is Lax, so it stays away from a frame of another site; the app hears what it can act on."""
    silent = pool.url("/oauth2/authorize", prompt="none")
    person.goto(silent)
    assert "code=" in person.url
    person.goto(app_url)

    with person.expect_event("framenavigated", lambda frame: frame.url.startswith(f"{app_url}?")) as moved:
        person.evaluate(FRAME, silent)

    assert "error=login_required" in urlsplit(moved.value.url).query
    assert "code=" not in moved.value.url


def test_a_form_planted_in_an_account_page_goes_to_no_other_site(
    pool: World, app_url: str, person: Page, complaints: list[str]
) -> None:
    person.evaluate(PLANT, app_url)
    person.wait_for_timeout(SETTLED)

    assert [said for said in complaints if "form-action 'self'" in said]
    assert person.url.startswith(f"{pool.base}/account")
    # Reached from an app's request, the account's own form still ends here, and is let through.
    complaints.clear()
    person.goto(pool.url("/account"))
    person.get_by_role("button", name="Sign out").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert complaints == []


def test_the_back_button_leads_to_a_page_that_still_works(pool: World, person: Page) -> None:
    name = pool.person()
    person.context.clear_cookies()
    person.goto(pool.url())
    person.get_by_role("link", name="Forgot your password?").click()
    submit(person, username=name)
    expect(person.get_by_role("heading", level=1)).to_have_text("Set a new password")

    person.go_back()
    person.go_back()

    expect(person.get_by_role("heading", level=1)).to_have_text("Sign in")
    submit(person, username=name, password=PASSWORD)
    expect(person.get_by_role("heading")).to_have_text("Welcome back")
