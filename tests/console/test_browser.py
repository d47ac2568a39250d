"""The console in Chromium: accessible in light, dark and on a phone, silent under its CSP, quicker with script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests import accessibility
from tests.console.world import PASSWORD, World
from tests.hosted.federation import Federation
from tests.hosted.world import PASSWORD as PASSWORD_OF_PEOPLE
from tests.live import Live
from tests.pressing import press

pytestmark = pytest.mark.browser


def seated(world: World, browser: Browser, **look: Any) -> BrowserContext:
    """Return a browser in which the admin is signed in."""
    context = browser.new_context(base_url=world.base_url, **look)
    host = urlsplit(world.base_url).hostname or ""
    context.add_cookies(
        [
            {"name": name, "value": value, "domain": host, "path": "/"}
            for name, value in world.session.cookies.items()
            if value
        ]
    )
    return context


def watched(page: Page) -> list[str]:
    """Return a list into which everything that went wrong is written: script errors and what the CSP refused."""
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            wrong.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda problem: wrong.append(str(problem)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', event => console.error('CSP ' + event.violatedDirective))"
    )
    return wrong


def faults(page: Page) -> list[str]:
    """Return what is wrong with a page, whoever looks."""
    return [f"{where} {fault}" for where in accessibility.looks(page) for fault in accessibility.faults(page)]


@pytest.fixture
def page(world: World, browser: Browser) -> Iterator[Page]:
    """Return a page of a signed-in browser; whatever goes wrong in it fails the test."""
    context = seated(world, browser, viewport=accessibility.DESK)
    page = context.new_page()
    wrong = watched(page)
    yield page
    context.close()
    assert wrong == []


def test_every_page_is_accessible_and_fits(world: World, page: Page) -> None:
    pool = f"/console/pools/{world.pool_id}"
    user = f"{pool}/users/{world.subs[7]}"
    paths = [
        "/console/pools",
        "/console/pools/new",
        pool,
        f"{pool}/apps",
        f"{pool}/apps/new",
        f"{pool}/apps/{world.client_id}",
    ]
    paths += [f"{pool}/users", f"{pool}/users?by=email&prefix=zzz", user, f"{user}/disable", f"{pool}/audit"]
    providers = f"{pool}/providers"
    paths += [providers, f"{providers}/new", f"{providers}/new/oidc", f"{providers}/{world.provider_id}"]
    paths += [f"{pool}/saml", f"{pool}/saml/new", f"{pool}/saml/{world.application_id}"]
    paths += ["/console/access-keys", "/dev/mailbox", "/api/docs/", "/console/nothing"]
    for path in paths:
        page.goto(path)
        assert faults(page) == []
        assert page.locator("h1").count() == 1


def test_the_way_in_is_accessible_at_each_step(world: World, browser: Browser) -> None:
    who = world.operator()
    context = browser.new_context(base_url=world.base_url, viewport=accessibility.DESK)
    page = context.new_page()
    wrong = watched(page)
    page.goto("/console/pools")
    assert faults(page) == []
    page.fill("#username", who.username)
    page.fill("#password", "not the password")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("didn’t work")
    assert page.title().startswith("Error:")
    assert faults(page) == []
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    assert faults(page) == []
    page.fill("#code", f"{who.code()[:3]} {who.code()[3:]}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/pools")
    context.close()
    assert wrong == []


def test_a_first_visit_by_link_without_script(world: World, browser: Browser) -> None:
    import pyotp

    link = world.live.manage("create_operator", f"scriptless-{world.operator().id}").strip()
    context = browser.new_context(java_script_enabled=False, base_url=world.base_url)
    page = context.new_page()
    page.goto(link)
    page.click("button[type=submit]")
    page.fill("#new_password", "a sentence that is long enough")
    page.click("button[type=submit]")
    secret = page.locator(".key").text_content()
    assert page.locator(".qr svg").is_visible()
    page.fill("#code", pyotp.TOTP((secret or "").replace(" ", "")).now())
    page.click("button[type=submit]")
    expect(page.get_by_role("status")).to_contain_text("You are set up")
    context.close()


def test_a_user_is_disabled_without_script(world: World, browser: Browser) -> None:
    context = seated(world, browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/console/pools/{world.pool_id}/users/{world.subs[8]}")
    page.get_by_role("link", name="Disable user…").click()
    page.get_by_label("to confirm").fill("person08@example.com")
    page.get_by_role("button", name="Disable user").click()
    expect(page.get_by_role("status")).to_contain_text("is disabled")
    context.close()


def test_the_confirm_dialog_opens_closes_and_guards_its_button(world: World, page: Page) -> None:
    page.goto(f"/console/pools/{world.pool_id}/users/{world.subs[9]}")
    opener = page.get_by_role("link", name="Disable user…")

    opener.click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Disable user")
    expect(dialog).to_be_visible()
    expect(button).to_be_disabled()
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    opener.click()
    dialog.get_by_label("to confirm").fill("person09@example.com")
    expect(button).to_be_enabled()
    button.click()

    expect(page.get_by_role("status")).to_contain_text("person09@example.com is disabled")
    page.get_by_role("button", name="Close this note").click()
    expect(page.get_by_role("status")).to_be_empty()


def test_typing_finds_users_without_leaving_the_page(world: World, page: Page) -> None:
    page.goto(f"/console/pools/{world.pool_id}/users")
    page.evaluate("window.stayed = true")

    page.locator("#prefix").press_sequentially("person2")
    expect(page.locator("tbody tr")).to_have_count(10)

    assert "prefix=person2" in page.url
    assert page.evaluate("window.stayed") is True
    expect(page.locator("#prefix")).to_be_focused()


def test_pages_turn_without_leaving_the_page_and_back_goes_back(world: World, page: Page) -> None:
    page.goto(f"/console/pools/{world.pool_id}/users")
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("tbody tr")).to_have_count(7)
    assert "page=" in page.url

    page.go_back()

    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="First page").click()
    expect(page.locator("tbody tr")).to_have_count(25)


def test_a_new_secret_can_be_copied(world: World, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/console/pools/{world.pool_id}/apps/new")
    page.fill("#name", "From a browser")
    page.get_by_label("Web app with a server").check()
    page.fill("#callback_urls", "https://app.example.com/callback")
    press(page.get_by_role("button", name="Add the app"))
    assert faults(page) == []
    once = page.locator(".once")

    secret = once.locator(".value").nth(1).text_content()
    once.get_by_role("button", name="Copy Client secret").click()

    expect(once.get_by_text("Copied")).to_be_visible()
    assert len(secret or "") == 51
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.reload()
    expect(page.locator(".once")).to_have_count(0)


def test_an_app_form_with_faults_is_accessible_and_leads_to_the_first(world: World, page: Page) -> None:
    page.goto(f"/console/pools/{world.pool_id}/apps/new")
    press(page.get_by_role("button", name="Add the app"))

    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#name")).to_have_attribute("aria-invalid", "true")
    assert "name_error" in (page.locator("#name").get_attribute("aria-describedby") or "")
    assert faults(page) == []


def test_a_form_of_settings_with_faults_is_accessible_and_leads_to_the_first(world: World, page: Page) -> None:
    page.goto(f"/console/pools/{world.pool_id}/apps/{world.client_id}")
    page.fill("#name", "")
    page.fill("#access_seconds", "soon")
    page.fill("#callback_urls", "http://a.example/cb")
    press(page.get_by_role("button", name="Save the settings"))

    expect(page.locator("#name")).to_be_focused()
    for name in ("name", "access_seconds", "callback_urls"):
        expect(page.locator(f"#{name}")).to_have_attribute("aria-invalid", "true")
        assert f"{name}_error" in (page.locator(f"#{name}").get_attribute("aria-describedby") or "")
    assert faults(page) == []


def test_a_provider_is_tried_from_its_page_and_back(world: World, page: Page, live: Live) -> None:
    federation = Federation(live)
    name = federation.up.person()
    page.goto(f"/console/pools/{federation.down.pool_id}/providers")
    press(page.get_by_role("link", name="Corp"))
    press(page.get_by_role("link", name="Test the sign-in"))
    assert page.url.startswith(federation.up.base)
    page.fill("#username", name)
    page.fill("#password", PASSWORD_OF_PEOPLE)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="What came back from Corp")).to_be_visible()
    expect(page.locator("#mapped")).to_contain_text(name)
    assert faults(page) == []
    assert federation.users() == 0


def test_new_mail_appears_by_itself(world: World, page: Page) -> None:
    page.goto("/dev/mailbox?to=by-itself@example.com")
    expect(page.get_by_role("heading", name="No messages")).to_be_visible()
    with world.live.orm():
        from identity.foundation.names import uuid7
        from pools.models import CapturedMessage

        CapturedMessage.objects.create(
            id=uuid7(), pool_id=world.pool.pk, channel="email", to="by-itself@example.com", subject="Hello", body="x"
        )

    expect(page.get_by_role("heading", name="Hello")).to_be_visible(timeout=8000)
    assert faults(page) == []
