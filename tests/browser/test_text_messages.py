"""Codes by text message in Chromium, with and without JavaScript: set up after signing up, asked for at sign-in."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_flows import person, secret_of
from tests.hosted.world import PASSWORD, World
from tests.pressing import submit

__all__ = ["person"]
pytestmark = pytest.mark.browser


def heading(page: Page, text: str) -> None:
    """See that a page is the one of that heading."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_from_sign_up_by_a_number_to_signing_in_with_its_code(texting: World, person: Page) -> None:
    world, name, number = texting, texting.name(), texting.number()
    person.goto(world.url("/signup"))
    submit(person, username=name, password=PASSWORD)
    submit(person, code=world.mailed(name))
    heading(person, "Protect your account")
    person.get_by_role("button", name="Text message").click()
    submit(person, phone_number=number)
    expect(person.locator(".lead")).to_contain_text(f"+*******{number[-4:]}")
    first = world.mailed(number)
    submit(person, code="111111" if first != "111111" else "222222")
    expect(person.get_by_role("alert")).to_have_text("That code didn't work. Check it, or ask for a new one.")
    expect(person.locator("#code")).to_be_focused()
    submit(person, code=f"{first[:3]} {first[3:]}")
    heading(person, "Welcome back")

    person.goto(f"{world.base}/account?client_id={world.client_id}")
    expect(person.get_by_role("heading", name="Text message")).to_be_visible()
    person.get_by_role("button", name="Sign out").click()
    heading(person, "You are signed out")

    person.goto(world.url("/oauth2/authorize"))
    submit(person, username=name, password=PASSWORD)
    heading(person, "Enter your code")
    expect(person.locator("header.intro")).to_contain_text(f"+*******{number[-4:]}")
    again = person.locator("button[value=again]")
    if person.locator("[data-wait][disabled]").count():
        expect(again).to_have_text(re.compile(r"Send a new code in \d+ s"))
    else:
        again.click()
        expect(person.get_by_role("status").first).to_contain_text("No new code was sent. You can ask for one in ")
    submit(person, code=world.mailed(number, count=2))
    heading(person, "Welcome back")


def test_a_required_factor_is_chosen_and_a_wrong_number_mended(strict_texting: World, person: Page) -> None:
    world, number = strict_texting, strict_texting.number()
    person.goto(world.url())
    submit(person, username=world.person(), password=PASSWORD)
    person.get_by_role("button", name="Text message").click()
    submit(person, phone_number="555")
    expect(person.get_by_role("alert")).to_contain_text("number")
    submit(person, phone_number=world.number())
    person.get_by_role("button", name="Use another number").click()
    submit(person, phone_number=number)
    submit(person, code=world.mailed(number))
    heading(person, "Welcome back")


def test_both_are_turned_on_one_is_preferred_and_one_turned_off(texting: World, person: Page) -> None:
    world, number = texting, texting.number()
    name = world.person(phone_number=number)
    person.goto(f"{world.base}/account?client_id={world.client_id}")
    submit(person, username=name, password=PASSWORD)
    person.get_by_role("link", name="Set up").first.click()
    settings = person.locator("section.setting")
    settings.filter(has_text="Text message").get_by_role("button", name="Set up").click()
    submit(person, code=world.mailed(number))
    expect(person.get_by_role("status").first).to_contain_text("Text messages are set up.")
    settings.filter(has_text="Authenticator app").get_by_role("button", name="Set up").first.click()
    submit(person, code=pyotp.TOTP(secret_of(person)).now())
    expect(person.get_by_role("status").first).to_contain_text("Your authenticator app is set up.")

    person.get_by_label("Ask first for").select_option(label="Text message")
    person.get_by_role("button", name="Save").click()
    expect(person.get_by_role("status").first).to_contain_text("Your choice is saved.")
    expect(person.get_by_label("Ask first for")).to_have_value("sms")
    person.get_by_role("button", name="Remove").click()
    expect(person.get_by_role("heading", level=2)).to_have_text("Remove the authenticator app?")
    person.get_by_role("button", name="Remove authenticator app").click()
    expect(person.get_by_role("status").first).to_contain_text("is removed.")
    expect(settings.filter(has_text="Text message")).to_contain_text(f"On. We send a code to +*******{number[-4:]}")
