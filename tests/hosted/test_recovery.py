"""A forgotten password by pages."""

from __future__ import annotations

import re
from time import time

import pyotp

from tests.hosted.world import OTHER_PASSWORD, PASSWORD, Visitor, World

TOKEN = re.compile(r"\b[0-9a-f]{96}\b")
LEFT = re.compile(r'data-wait="\d+"|in \d+ seconds')
"""Of the count-down, which begins with each visitor."""
CODE_FAILED = "That code didn't work. Check it, or ask for a new one."


def test_a_forgotten_password_is_replaced_by_a_mailed_code(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.start()
    visitor.follow("Forgot your password?")
    page = visitor.submit(username=name)
    assert page.path == "/confirmForgotPassword"
    assert page.form["username"]["value"] == name

    assert visitor.submit(code=world.mailed(name), new_password=OTHER_PASSWORD).code
    assert world.visitor().sign_in(name, PASSWORD).path == "/login"
    assert world.visitor().sign_in(name, OTHER_PASSWORD).code


def test_a_browser_that_did_not_ask_for_the_code_signs_in_by_the_new_password(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.start("/forgotPassword")
    visitor.submit(username=name)
    other = world.visitor()
    other.start("/confirmForgotPassword")

    page = other.submit(username=name, code=world.mailed(name), new_password=OTHER_PASSWORD)

    assert page.path == "/login"
    assert "Your password is changed. Sign in with the new one." in page.text
    assert page.form["username"]["value"] == name
    assert other.submit(password=OTHER_PASSWORD).code


def test_a_reset_does_not_go_round_the_second_factor(world: World, visitor: Visitor) -> None:
    name = world.person()
    totp = pyotp.TOTP(world.give_totp(name))
    visitor.start("/forgotPassword")
    visitor.submit(username=name)

    page = visitor.submit(code=world.mailed(name), new_password=OTHER_PASSWORD)

    assert page.path == "/login/totp"
    assert visitor.start("/account").path != "/account"
    visitor.page = page
    assert visitor.submit(code=totp.at(int(time()) + 30)).code


def test_nobody_is_told_apart_on_the_way(world: World) -> None:
    texts = []
    for name in (world.person(), world.name()):
        visitor = world.visitor()
        visitor.open(f"{world.base}/forgotPassword?client_id={world.client_id}")
        steps = [visitor.submit(username=name)]
        steps += [visitor.submit(code="000000", new_password=OTHER_PASSWORD) for _ in range(7)]
        for page in steps:
            text = LEFT.sub("SECONDS", TOKEN.sub("TOKEN", page.text.replace(name, "NAME")))
            texts.append((page.status, page.path, text, len(visitor.cookie("-step") or "")))

    assert texts[: len(texts) // 2] == texts[len(texts) // 2 :]
    assert "That code didn" in texts[-1][2]


def test_a_weak_password_does_not_spend_the_code(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.start("/forgotPassword")
    visitor.submit(username=name)
    code = world.mailed(name)

    page = visitor.submit(code=code, new_password="weak")
    assert page.alert == "That password is too short. Add a capital letter. Add a number. Add a symbol, such as ! or #."
    assert page.form["code"]["value"] == code

    assert visitor.submit(new_password=OTHER_PASSWORD).code


def test_a_code_works_once(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.start("/forgotPassword")
    visitor.submit(username=name)
    code = world.mailed(name)
    assert visitor.submit(code=code, new_password=OTHER_PASSWORD).code

    late = world.visitor()
    late.start("/confirmForgotPassword")
    page = late.submit(username=name, code=code, new_password=PASSWORD)

    assert page.alert == CODE_FAILED
