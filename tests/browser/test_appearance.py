"""Every page in light and dark, on a narrow phone and a desk: no accessibility violation, nothing cut off, small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, Page, Response, expect

from tests import accessibility
from tests.browser.test_flows import secret_of
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, World
from tests.pressing import press, submit

pytestmark = pytest.mark.browser
BUDGET_BYTES = 40_000
BUDGET_REQUESTS = 6
LEAST_TARGET = 24
TARGET = 42
"""What a line holds alone: 44 px with its border."""


def checked(page: Page) -> None:
    """Check the present page, as each visitor sees it."""
    for where in accessibility.looks(page):
        assert accessibility.faults(page) == [], where
        can_be_touched(page, where)


def can_be_touched(page: Page, where: str) -> None:
    """See that nothing to press is too small, as the page is shown now."""
    small = page.evaluate(
        """(least) => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
          .filter((each) => each.checkVisibility())
          .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
          .filter(([, box]) => box.height < least || box.width < least)
          .map(([text]) => text)""",
        LEAST_TARGET,
    )
    assert small == [], f"{where}: too small to touch"
    thin = page.evaluate(
        """(least) => [...document.querySelectorAll("button, .button, input:not([type=hidden]), summary, .after a")]
          .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < least)
          .map((each) => `${each.outerHTML.slice(0, 80)} ${each.getBoundingClientRect().height}`)""",
        TARGET,
    )
    assert thin == [], f"{where}: hard to touch"


Check = Callable[[], None]
Walk = Callable[[World, Page, Check], None]


def signed_out(pool: World, page: Page, check: Check) -> None:
    """Look at what anybody reaches."""
    for path in (
        "/login",
        "/signup",
        "/forgotPassword",
        "/confirm",
        "/confirmForgotPassword",
        "/signedout",
        "/error",
        "/no",
    ):
        page.goto(pool.url(path))
        check()
    page.goto(pool.url(client_id="unknown"))
    check()
    page.goto(pool.url())
    page.locator("form.main").evaluate("(form) => { form.noValidate = true; }")
    submit(page)
    check()
    submit(page, username=pool.name(), password=OTHER_PASSWORD)
    check()


def sign_up(pool: World, page: Page, check: Check) -> None:
    """Make an account, with mistakes."""
    name = pool.name()
    page.goto(pool.url("/signup"))
    page.locator("form.main").evaluate("(form) => { form.noValidate = true; }")
    submit(page, username="ann", password="weak")
    expect(page.locator("#error a")).to_have_text(["Email", "Password"])
    expect(page.locator("#username")).to_be_focused()
    check()
    page.locator("#error a").last.click()
    expect(page.locator("#password")).to_be_focused()
    submit(page, username=name, password=PASSWORD)
    check()
    submit(page, code="000000")
    check()
    submit(page, code=pool.mailed(name))
    check()
    page.get_by_text("Can't scan it?").click()
    check()
    submit(page, code="000000")
    check()


def recovery(pool: World, page: Page, check: Check) -> None:
    """Forget a password."""
    page.goto(pool.url("/forgotPassword"))
    submit(page, username=pool.person())
    check()
    submit(page, code="000000", new_password="weak")
    check()


def invited(pool: World, page: Page, check: Check) -> None:
    """Replace a temporary password."""
    page.goto(pool.url())
    submit(page, username=pool.person(temporary=True), password=PASSWORD)
    check()
    submit(page, new_password="weak")
    check()


def account(pool: World, page: Page, check: Check) -> None:
    """Look at the account pages, and at the second factor they lead to."""
    name = pool.person()
    page.goto(f"{pool.base}/account?client_id={pool.client_id}")
    submit(page, username=name, password=PASSWORD)
    check()
    page.goto(pool.url())
    check()
    page.goto(f"{pool.base}/logout")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign out?")
    check()
    page.goto(f"{pool.base}/account/password?client_id={pool.client_id}")
    check()
    submit(page, password="wrong", new_password="weak")
    check()
    page.goto(f"{pool.base}/account/mfa?client_id={pool.client_id}")
    check()
    press(page.get_by_role("button", name="Set up"))
    check()
    submit(page, code=pyotp.TOTP(secret_of(page)).now())
    check()
    page.goto(pool.url(prompt="login"))
    submit(page, username=name, password=PASSWORD)
    check()
    submit(page, code="000000")
    check()


def required(pool: World, page: Page, check: Check) -> None:
    """Set up a factor that the pool requires."""
    page.goto(pool.url())
    submit(page, username=pool.person(), password=PASSWORD)
    check()


def required_texts(pool: World, page: Page, check: Check) -> None:
    """Set up text messages, where the pool requires one kind or the other."""
    page.goto(pool.url())
    submit(page, username=pool.person(), password=PASSWORD)
    check()
    press(page.get_by_role("button", name="Text message"))
    check()
    submit(page, phone_number="555")
    check()
    submit(page, phone_number=pool.number())
    check()
    submit(page, code="000000")
    check()


def texts(pool: World, page: Page, check: Check) -> None:
    """Turn text messages on beside an authenticator, choose between both, and be asked for a code."""
    number = pool.number()
    name = pool.person(phone_number=number)
    page.goto(f"{pool.base}/account/mfa?client_id={pool.client_id}")
    submit(page, username=name, password=PASSWORD)
    press(page.locator("section.setting").last.get_by_role("button"))
    check()
    submit(page, code=pool.mailed(number))
    press(page.get_by_role("button", name="Set up"))
    submit(page, code=pyotp.TOTP(secret_of(page)).now())
    check()
    press(page.get_by_role("button", name="Turn off"))
    check()
    press(page.get_by_role("link", name="Keep it"))
    page.get_by_label("Ask first for").select_option("")
    press(page.get_by_role("button", name="Save"))
    check()
    page.goto(pool.url(prompt="login"))
    submit(page, username=name, password=PASSWORD)
    check()
    press(page.get_by_role("button", name="Text message"))
    check()
    submit(page, code="000000")
    check()


def numbers(pool: World, page: Page, check: Check) -> None:
    """Give a phone number where it is the name."""
    asked: dict[str, Any] = {"UsernameAttributes": ["phone_number"], "AutoVerifiedAttributes": ["phone_number"]}
    page.goto(World(pool.live, mfa="OFF", by_email=False, callback=pool.callback, **asked).url("/signup"))
    submit(page, username="0664 1234567", password=PASSWORD)
    expect(page.get_by_role("alert").first).to_contain_text("Check its digits and the country.")
    check()


def consent(pool: World, page: Page, check: Check) -> None:
    """Be asked about an app that anybody may have registered."""
    open_pool = World(pool.live, callback=pool.callback, DcrConfiguration={"OpenDcrEnabled": True})
    metadata = {"redirect_uris": [pool.callback], "token_endpoint_auth_method": "none"}
    made = requests.post(f"{open_pool.base}/oauth2/register", json=metadata, timeout=20).json()
    page.goto(open_pool.url(client_id=made["client_id"]))
    check()
    submit(page, username=open_pool.person(), password=PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Let this app in?")
    check()
    submit(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")


POOLS: dict[Walk, str] = {required: "strict", texts: "texting", required_texts: "strict_texting"}
"""By walk, the fixture of its pool, where that is another."""


@pytest.mark.parametrize(
    "walk",
    [signed_out, sign_up, recovery, invited, account, required, required_texts, texts, numbers, consent],
)
def test_every_page_is_accessible(request: pytest.FixtureRequest, page: Page, walk: Walk) -> None:
    walk(request.getfixturevalue(POOLS.get(walk, "pool")), page, lambda: checked(page))


def test_the_sign_in_page_is_small(pool: World, page: Page) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright writes on what it is given

    page.goto(pool.url(), wait_until="networkidle")

    assert 1 < len(answers) <= BUDGET_REQUESTS
    assert sum(len(answer.body()) for answer in answers) <= BUDGET_BYTES
    assert all(answer.ok for answer in answers)


def test_the_qr_code_is_what_the_link_says(pool: World, page: Page) -> None:
    page.goto(f"{pool.base}/account/mfa?client_id={pool.client_id}")
    submit(page, username=pool.person(), password=PASSWORD)
    press(page.get_by_role("button", name="Set up"))

    address = page.locator('a[href^="otpauth:"]').get_attribute("href") or ""
    said = dict(parse_qsl(urlsplit(address).query))

    page.get_by_text("Can't scan it?").click()
    assert page.locator("#key").inner_text().replace(" ", "") == said["secret"]
    assert said["issuer"] == "Photos"
    assert page.locator(".qr svg path").count() >= 1
    box = page.locator(".qr svg").bounding_box()
    assert box is not None
    assert box["width"] >= 150


def test_who_wants_no_motion_gets_none(pool: World, browser: Browser) -> None:
    quick = {"reduce": set[str](), "no-preference": set[str]()}
    for wish, found in quick.items():
        page = browser.new_page(reduced_motion="reduce" if wish == "reduce" else "no-preference")
        page.goto(pool.url())
        found |= set(
            page.evaluate(
                "() => [...document.querySelectorAll('*')].map((each) => getComputedStyle(each).transitionDuration)"
            )
        )
        page.close()

    assert quick["reduce"] == {"0s"}
    assert len(quick["no-preference"]) > 1


def test_forced_colours_leave_edges_and_states(pool: World, browser: Browser) -> None:
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(pool.url("/signup"))
    page.fill("#password", "Correct-horse-7")
    expect(page.locator(".strength [role=status]")).to_have_text("Strong")

    for part in ("form.main .button", ".card", "#password"):
        assert page.locator(part).evaluate("(each) => parseFloat(getComputedStyle(each).borderTopWidth)") >= 1, part
    assert (
        page.locator(".checklist li[data-met]").first.evaluate("(each) => getComputedStyle(each, '::before').content")
        == '"✓"'
    )
    assert page.locator("meter").evaluate("(each) => getComputedStyle(each).appearance") == "auto"
    context.close()
