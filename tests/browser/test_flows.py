"""Ways through the login pages in Chromium, with and without JavaScript."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import listen
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, World
from tests.live import NOTICES
from tests.pressing import submit

pytestmark = pytest.mark.browser
FORMS = 6
"""How many are sent from signing up to signing in with another password."""


@pytest.fixture(params=["javascript", "no-javascript"])
def person(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Return a page of somebody with JavaScript, and of somebody without."""
    context = browser.new_context(java_script_enabled=request.param == "javascript")
    context.set_default_timeout(15_000)
    page, complaints = context.new_page(), list[str]()
    listen(page, complaints)
    yield page
    context.close()
    assert complaints == []


def secret_of(page: Page) -> str:
    """Return the key that a set-up page shows."""
    address = page.locator('a[href^="otpauth:"]').get_attribute("href") or ""
    return dict(parse_qsl(urlsplit(address).query))["secret"]


def test_from_the_app_through_sign_up_and_second_factor_back_and_in_again(pool: World, person: Page) -> None:
    name = pool.name()
    person.goto(pool.url("/oauth2/authorize"))
    person.get_by_role("link", name="Create an account").click()
    submit(person, username=name, password=PASSWORD)
    expect(person.get_by_role("heading", level=1)).to_have_text("Check your email to continue")
    code = pool.mailed(name)
    submit(person, code=f"\u200b{code[:3]}\u00a0\u2013\u2212 {code[3:]}\ufeff")  # what the page's pattern lets through
    expect(person.get_by_role("heading", level=1)).to_have_text("Protect your account")
    expect(person.get_by_role("img", name="QR code")).to_be_visible()
    totp = pyotp.TOTP(secret_of(person))
    submit(person, code="".join(chr(0xFF10 + int(digit)) for digit in totp.now()))
    expect(person.get_by_role("heading")).to_have_text("Welcome back")
    assert "code=" in person.url

    person.context.clear_cookies()
    person.goto(pool.url("/oauth2/authorize"))
    submit(person, username=name, password=PASSWORD)
    expect(person.get_by_role("heading", level=1)).to_have_text("Enter your code")
    submit(person, code=totp.at(int(time.time()) + 30))
    expect(person.get_by_role("heading")).to_have_text("Welcome back")


def slow_down(page: Page) -> None:
    """Have each answer take 300 ms longer to come."""
    line = {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)


def is_form(request: Request) -> bool:
    """Say whether a request sends a form, which the meter's does not."""
    return request.method == "POST" and "/passwordStrength" not in request.url


def submit_twice(page: Page, **typed: str) -> None:
    """Fill in fields by id and press the form's button, and once more while the answer is on its way."""
    for name, value in typed.items():
        page.fill(f"#{name}", value)
    button = page.locator("form.main button[type=submit]")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    with page.expect_request(is_form):
        page.mouse.click(*middle)
    page.mouse.click(*middle)


def test_whoever_presses_twice_comes_as_far_as_by_pressing_once(pool: World, person: Page) -> None:
    name, heading, sent = pool.name(), person.get_by_role("heading", level=1), list[Request]()
    person.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - a built-in is not taken
    person.goto(pool.url("/signup"))
    has_script = person.locator(".reveal button").count() > 0
    slow_down(person)
    submit_twice(person, username=name, password=PASSWORD)
    expect(heading).to_have_text("Check your email to continue")
    submit_twice(person, code=pool.mailed(name))
    expect(heading).to_have_text("Protect your account")
    totp = pyotp.TOTP(secret_of(person))
    submit_twice(person, code=totp.now())
    expect(heading).to_have_text("Welcome back")
    assert [mail["subject"] in NOTICES for mail in pool.live.messages(name)].count(False) == 1

    person.context.clear_cookies()
    person.goto(pool.url("/forgotPassword"))
    submit_twice(person, username=name)
    expect(heading).to_have_text("Set a new password")
    submit_twice(person, code=pool.mailed(name, count=2), new_password=OTHER_PASSWORD)
    expect(heading).to_have_text("Enter your code")
    submit_twice(person, code=totp.at(int(time.time()) + 30))
    expect(heading).to_have_text("Welcome back")
    subjects = [mail["subject"] for mail in pool.live.messages(name)]
    assert len(subjects) == len(set(subjects)) == 4  # two codes, and what was changed
    assert (sum(map(is_form, sent)) == FORMS) == has_script  # without a script both arrive


def test_a_button_is_out_of_use_until_its_answer_comes_and_not_for_ever(pool: World, page: Page) -> None:
    sent: list[Route] = []
    page.clock.install()
    page.goto(pool.url())

    def stay(route: Route) -> None:
        sent.append(route)
        route.fulfill(status=204)  # the browser stays where it is

    page.route("**/login?*", stay)
    button = page.get_by_role("button", name="Sign in", exact=True)
    page.fill("#username", pool.name())
    page.fill("#password", PASSWORD)

    page.keyboard.press("Enter")
    page.clock.run_for(400)
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(button).to_have_attribute("data-working", "")
    expect(page.get_by_role("status").filter(has_text="One moment…")).to_have_count(1)
    page.keyboard.press("Enter")
    page.clock.run_for(10_000)

    expect(button).to_be_enabled()
    expect(button).not_to_have_attribute("aria-busy", "true")
    assert len(sent) == 1

    # Led on, and back to the page as the browser kept it: Playwright switches that cache off, so its event is sent.
    page.keyboard.press("Enter")
    page.clock.run_for(400)
    expect(button).to_be_disabled()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")

    expect(button).to_be_enabled()
    expect(button).not_to_have_attribute("aria-busy", "true")
    expect(button).not_to_have_attribute("data-working", "")
    expect(page.get_by_role("status").filter(has_text="One moment…")).to_have_count(0)
    button.click()
    page.clock.run_for(400)
    assert len(sent) == 3


def test_not_now_is_one_click(pool: World, person: Page) -> None:
    name = pool.name()
    person.goto(pool.url("/signup"))
    submit(person, username=name, password=PASSWORD)
    submit(person, code=pool.mailed(name))

    person.get_by_role("link", name="Not now").click()

    expect(person.get_by_role("heading")).to_have_text("Welcome back")


def test_a_forgotten_password(pool: World, person: Page) -> None:
    name = pool.person()
    person.goto(pool.url())
    person.get_by_role("link", name="Forgot your password?").click()
    submit(person, username=name)
    submit(person, code=pool.mailed(name), new_password=OTHER_PASSWORD)
    expect(person.get_by_role("heading")).to_have_text("Welcome back")


def test_an_invited_person_chooses_a_password(pool: World, person: Page) -> None:
    name = pool.person(temporary=True)
    person.goto(pool.url())
    submit(person, username=name, password=PASSWORD)
    submit(person, new_password=OTHER_PASSWORD)
    expect(person.get_by_role("heading")).to_have_text("Welcome back")


def test_a_required_second_factor(strict: World, person: Page) -> None:
    name = strict.person()
    person.goto(strict.url())
    submit(person, username=name, password=PASSWORD)
    expect(person.get_by_role("link", name="Not now")).to_have_count(0)
    submit(person, code=pyotp.TOTP(secret_of(person)).now())
    expect(person.get_by_role("heading")).to_have_text("Welcome back")


def test_the_account_pages(pool: World, person: Page) -> None:
    name = pool.person()
    person.goto(f"{pool.base}/account?client_id={pool.client_id}")
    submit(person, username=name, password=PASSWORD)
    person.get_by_role("link", name="Set up").click()
    person.get_by_role("button", name="Set up").click()
    submit(person, code=pyotp.TOTP(secret_of(person)).now())
    expect(person.get_by_role("status").first).to_contain_text("Your authenticator app is set up.")
    person.get_by_role("button", name="Remove").click()
    expect(person.get_by_role("heading", level=2)).to_have_text("Remove the authenticator app?")
    person.get_by_role("button", name="Remove authenticator app").click()
    expect(person.get_by_role("status").first).to_contain_text("is removed.")
    person.get_by_role("link", name="Back to your account").click()
    person.get_by_role("button", name="Sign out").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_a_wrong_password_keeps_the_name_and_takes_the_focus_to_the_password(pool: World, page: Page) -> None:
    name = pool.person()
    page.goto(pool.url())
    expect(page.locator("#username")).to_be_focused()

    submit(page, username=name, password=OTHER_PASSWORD)

    expect(page.get_by_role("alert")).to_contain_text("That sign-in didn't work.")
    assert page.title().startswith("Error: Sign in")
    expect(page.locator("#username")).to_have_value(name)
    expect(page.locator("#password")).to_have_value("")
    expect(page.locator("#password")).to_be_focused()


def test_a_password_can_be_shown_and_is_hidden_again_when_sent(pool: World, page: Page) -> None:
    page.goto(pool.url("/signup"))
    page.fill("#password", "Corr")
    button = page.get_by_role("button", name="Show")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    expect(page.locator(".checklist li[data-met]")).to_have_count(2)
    page.fill("#password", PASSWORD)
    expect(page.locator(".checklist li[data-met]")).to_have_count(5)

    sent = page.evaluate(
        """() => new Promise((done) => {
          const form = document.querySelector("form.main");
          form.addEventListener("submit", (event) => {
            event.preventDefault();
            done(document.querySelector("#password").type);
          });
          document.querySelector("#username").value = "ann@example.org";
          form.requestSubmit();
        })"""
    )

    assert sent == "password"


def test_asking_again_counts_down(pool: World, page: Page) -> None:
    page.goto(pool.url("/signup"))
    submit(page, username=pool.name(), password=PASSWORD)

    button = page.get_by_role("button", name="Send a new code in")

    expect(button).to_be_disabled()


def test_the_countdown_is_said_when_it_begins_and_when_it_ends(pool: World, page: Page) -> None:
    page.clock.install()
    page.goto(pool.url("/signup"))
    submit(page, username=pool.name(), password=PASSWORD)
    said = page.locator("form + .visually-hidden, form .visually-hidden[role=status]")
    page.clock.run_for(1000)
    began = said.inner_text()
    assert re.fullmatch(r"You can ask for a new code in \d+ seconds\.", began)

    page.clock.run_for(20_000)
    expect(page.get_by_role("button", name="Send a new code in")).to_be_disabled()
    assert said.inner_text() == began

    page.clock.run_for(50_000)
    expect(page.get_by_role("button", name="Send a new code", exact=True)).to_be_enabled()
    assert said.inner_text() == "You can ask for a new code now."


def test_caps_lock_is_said(pool: World, page: Page) -> None:
    page.goto(pool.url())
    said = page.locator(".field .caps")
    press = """(input, on) => input.dispatchEvent(
      new KeyboardEvent("keydown", { key: "A", modifierCapsLock: on, bubbles: true }))"""

    page.locator("#password").evaluate(press, arg=True)
    expect(said).to_have_text("Caps Lock is on.")

    page.locator("#password").evaluate(press, arg=False)
    expect(said).to_have_text("")


def test_keys_alone_lead_through_in_reading_order(pool: World, page: Page) -> None:
    name = pool.person()
    page.goto(pool.url())
    expect(page.locator("#username")).to_be_focused()  # with the first frame, which may come after the load
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Welcome back")


def test_enter_in_a_field_sends_the_form(pool: World, page: Page) -> None:
    name = pool.person()
    page.goto(pool.url())
    page.fill("#username", name)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.get_by_role("heading")).to_have_text("Welcome back")


def test_a_form_on_another_site_signs_nobody_in(pool: World, app_url: str, page: Page) -> None:
    """Login CSRF: a page elsewhere posts an attacker's name and password to us."""
    name = pool.person()
    page.goto(pool.url())
    token = page.locator("input[name=form_token]").get_attribute("value")
    page.goto(app_url)
    page.evaluate(
        """([action, fields]) => {
          const form = document.createElement("form");
          form.method = "post";
          form.action = action;
          for (const [name, value] of Object.entries(fields)) {
            const input = document.createElement("input");
            input.name = name;
            input.value = value;
            form.append(input);
          }
          document.body.append(form);
          form.submit();
        }""",
        [pool.url(), {"username": name, "password": PASSWORD, "form_token": token}],
    )

    expect(page.get_by_role("heading", level=1)).to_have_text("Please load the page again")
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    assert not [cookie for cookie in cookies if cookie.startswith("cg-") and not cookie.endswith(("-form", "-step"))]
