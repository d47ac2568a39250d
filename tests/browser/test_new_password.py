"""Choosing a password in Chromium: how strong it is, said by the server after a pause in typing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.hosted.world import World

pytestmark = pytest.mark.browser
FIELD = "input[autocomplete=new-password]"
PATHS = ("/signup", "/confirmForgotPassword")


@pytest.mark.parametrize("path", PATHS)
def test_the_strength_is_said_as_it_is_typed(pool: World, page: Page, path: str) -> None:
    page.goto(pool.url(path))
    said, meter = page.locator(".strength [role=status]"), page.locator(".strength meter")
    expect(said).to_have_text("")

    page.fill(FIELD, "Password1!")
    expect(said).to_have_text("Weak – add another word")
    expect(meter).to_have_js_property("value", 2)

    page.fill(FIELD, "Correct-horse-7")
    expect(said).to_have_text("Strong")
    expect(meter).to_have_js_property("value", 5)

    page.fill(FIELD, "")
    expect(said).to_have_text("")
    expect(meter).to_have_js_property("value", 0)


def test_a_word_typed_in_one_go_is_asked_about_once_and_by_post(pool: World, page: Page) -> None:
    page.goto(pool.url("/signup"))
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))  # noqa: PLW0108 - Playwright writes on what it is given

    page.locator("#password").press_sequentially("Correct-horse-7")
    expect(page.locator(".strength [role=status]")).to_have_text("Strong")

    assert [request.method for request in seen if "passwordStrength" in request.url] == ["POST"]
    assert not [request.url for request in seen if "Correct" in request.url]


def test_a_password_is_called_chosen_when_its_field_is_left(pool: World, page: Page) -> None:
    page.goto(pool.url("/signup"))
    field = page.locator("#password")

    with page.expect_request("**/passwordStrength*") as typed:
        field.press_sequentially("Correct-horse-7")
    with page.expect_request("**/passwordStrength*") as chosen:
        field.blur()

    assert [str(each.value.post_data)[-len("chosen=0") :] for each in (typed, chosen)] == ["chosen=0", "chosen=1"]
    expect(page.locator(".strength [role=status]")).to_have_text("Strong")


def test_a_server_that_has_no_time_leaves_the_page_as_it_is(pool: World, page: Page) -> None:
    page.goto(pool.url("/signup"))
    page.route("**/passwordStrength*", lambda route: route.fulfill(status=429, json={"score": 4, "said": "Strong"}))

    with page.expect_response("**/passwordStrength*"):
        page.fill("#password", "Correct-horse-7")

    expect(page.locator(".strength [role=status]")).to_have_text("")
    expect(page.locator(".checklist li[data-met]")).to_have_count(5)


def test_without_a_script_there_is_no_empty_meter(pool: World, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(pool.url("/signup"))

    expect(page.locator(".checklist li")).to_have_count(5)
    expect(page.locator("meter")).to_be_hidden()
    context.close()
