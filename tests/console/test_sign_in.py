"""How operators get in, and how they do not."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import pyotp
import pytest

from tests.console.world import PASSWORD, Visitor, World

WRONG = "That sign-in didn’t work"


def opens(visitor: Visitor) -> bool:
    """Say whether the console is open to this browser."""
    return visitor.get("/console/pools").status_code == 200


def test_both_factors_open_the_console_and_signing_out_closes_it(world: World) -> None:
    visitor = world.inside()
    assert opens(visitor)
    before = visitor.cookies["operator"]

    left = visitor.send_form("/console/sign-out", page="/console/pools")

    assert left.headers["Location"] == "/console/sign-in"
    assert not opens(visitor)
    visitor.cookies.set("operator", before)
    assert not opens(visitor)


def test_a_password_alone_opens_nothing(world: World) -> None:
    who, visitor = world.operator(), world.visitor()

    answer = visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)

    assert answer.status_code == 303
    assert not opens(visitor)
    assert visitor.get("/api/v1/pools").status_code == 401


def test_the_session_id_changes_with_each_proof(world: World) -> None:
    who, visitor = world.operator(), world.visitor()
    visitor.get("/console/sign-in")
    visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)
    pending_sign_in = visitor.cookies["operator"]

    visitor.send_form("/console/sign-in/code", code=who.code())

    assert visitor.cookies["operator"] != pending_sign_in
    thief = world.visitor()
    thief.cookies.set("operator", pending_sign_in)
    assert not opens(thief)
    assert opens(visitor)


def test_a_session_id_that_someone_else_chose_is_not_kept(world: World) -> None:
    who, visitor = world.operator(), world.visitor()
    visitor.cookies.set("operator", "chosenbyanattacker0123456789abcd", path="/")

    visitor.sign_in(who)

    assert visitor.get("/console/pools").status_code == 200
    thief = world.visitor()
    thief.cookies.set("operator", "chosenbyanattacker0123456789abcd", path="/")
    assert not opens(thief)


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_a_strangers_name_look_the_same(world: World, known: bool) -> None:
    name = world.operator().username if known else "nobody-of-that-name"

    answer = world.visitor().send_form("/console/sign-in", username=name, password="wrong and long enough")

    assert answer.status_code == 422
    assert WRONG in answer.text
    assert "nobody" not in answer.text.replace(name, "")


@pytest.mark.parametrize("known", [True, False])
def test_five_wrong_passwords_lock_a_name_whether_or_not_it_is_anyones(world: World, known: bool) -> None:
    who = world.operator()
    name = who.username if known else f"stranger-{who.username}"
    visitor = world.visitor()

    answers = [visitor.send_form("/console/sign-in", username=name, password="wrong guess") for _ in range(7)]

    assert [answer.status_code for answer in answers[:5]] == [422] * 5
    locked = [answer for answer in answers if answer.status_code == 429]
    assert locked
    assert int(locked[0].headers["Retry-After"]) >= 1
    assert "Too many tries" in locked[0].text


def test_a_locked_name_refuses_the_right_password_too(world: World) -> None:
    who, visitor = world.operator(), world.visitor()
    for _ in range(8):
        visitor.send_form("/console/sign-in", username=who.username, password="wrong guess")

    answer = visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)

    assert answer.status_code == 429
    assert not opens(visitor)


def test_a_disabled_operator_is_told_what_a_stranger_is_told(world: World) -> None:
    who = world.operator()
    visitor = world.inside(who)
    with world.live.orm():
        from identity.foundation.actor import Actor
        from pools.services.operators import operators

        operators.set_active(operators.operator(who.username), False, by=Actor.system())

    answer = world.visitor().send_form("/console/sign-in", username=who.username, password=PASSWORD)

    assert WRONG in answer.text
    assert not opens(visitor)


def test_a_code_works_once(world: World) -> None:
    who = world.operator()
    code = who.code()
    first, second = world.visitor(), world.visitor()
    for visitor in (first, second):
        visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)

    taken = first.send_form("/console/sign-in/code", code=code)
    again = second.send_form("/console/sign-in/code", code=code)

    assert taken.status_code == 303
    assert again.status_code == 422
    assert "used already" in again.text
    assert opens(first)
    assert not opens(second)


@pytest.mark.parametrize("code", ["000000", "12345", "abcdef", "１２３４５６", "1234567890123456789012"])
def test_a_wrong_code_is_refused_in_words(world: World, code: str) -> None:
    who, visitor = world.operator(), world.visitor()
    visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)

    answer = visitor.send_form("/console/sign-in/code", code=code)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not opens(visitor)


def test_wrong_codes_lock_the_second_factor(world: World) -> None:
    who, visitor = world.operator(), world.visitor()
    visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)
    wrong = "000000" if who.code() != "000000" else "111111"

    statuses = [visitor.send_form("/console/sign-in/code", code=wrong).status_code for _ in range(8)]

    assert statuses[:5] == [422] * 5
    assert statuses[-1] == 429
    assert visitor.send_form("/console/sign-in/code", code=who.code()).status_code == 429


def test_an_operator_without_authenticator_cannot_enrol_by_password(world: World) -> None:
    who, visitor = world.operator(enrolled=False), world.visitor()

    answer = visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)

    assert answer.status_code == 422
    assert "one-time link" in answer.text
    assert visitor.get("/console/welcome/authenticator").headers["Location"] == "/console/sign-in"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/console/access-keys", "/console/access-keys"),
        ("https://evil.example/console/", "/console/pools"),
        ("//evil.example/console/", "/console/pools"),
        ("/console/\\evil.example", "/console/pools"),
        ("/us-east-1_abc/login", "/console/pools"),
        ("javascript:alert(1)", "/console/pools"),
    ],
)
def test_a_sign_in_leads_on_inside_the_console_only(world: World, wanted: str, reached: str) -> None:
    who, visitor = world.operator(), world.visitor()
    query = urlencode({"next": wanted})
    visitor.send_form(f"/console/sign-in?{query}", username=who.username, password=PASSWORD)

    answer = visitor.send_form(f"/console/sign-in/code?{query}", code=who.code())

    assert answer.headers["Location"] == reached


def test_a_one_time_link_sets_password_and_authenticator_and_signs_in(world: World) -> None:
    link = world.live.manage("create_operator", f"newcomer-{time.monotonic_ns()}").strip()
    visitor = world.visitor()
    path = link.removeprefix(world.base_url)

    assert visitor.get(path).status_code == 200, "looking spends nothing"
    opened = visitor.send_form(path)
    assert opened.headers["Location"] == "/console/welcome/password"
    assert not opens(visitor)
    weak = visitor.send_form("/console/welcome/password", new_password="short")
    assert weak.status_code == 422
    kept = visitor.send_form("/console/welcome/password", new_password="a long walk on the beach")
    assert kept.headers["Location"] == "/console/welcome/authenticator"
    page = visitor.get("/console/welcome/authenticator").text
    secret = page.split('<code class="key">')[1].split("</code>")[0].replace(" ", "")
    done = visitor.send_form("/console/welcome/authenticator", code=pyotp.TOTP(secret).now())

    assert done.headers["Location"] == "/console/pools"
    assert opens(visitor)
    assert world.visitor().get(path).status_code == 410


def test_a_one_time_link_is_good_once(world: World) -> None:
    who = world.operator()
    link = world.live.manage("create_operator", who.username, "--link").strip().removeprefix(world.base_url)
    first, second = world.visitor(), world.visitor()

    assert first.send_form(link).status_code == 303
    refused = second.get(link)

    assert refused.status_code == 410
    assert "make operator NAME=" in refused.text
    assert "manage.py" not in refused.text


def test_a_one_time_link_lets_nobody_past_the_authenticator(world: World) -> None:
    who = world.operator()
    link = world.live.manage("create_operator", who.username, "--link").strip().removeprefix(world.base_url)
    visitor = world.visitor()

    assert visitor.send_form(link).headers["Location"] == "/console/sign-in/code"
    assert not opens(visitor)
    for elsewhere in ("/console/welcome/password", "/console/welcome/authenticator"):
        assert visitor.get(elsewhere).headers["Location"] == "/console/sign-in"
    wrong = "000000" if who.code() != "000000" else "111111"
    assert visitor.send_form("/console/sign-in/code", code=wrong).status_code == 422
    assert not opens(visitor)

    assert visitor.send_form("/console/sign-in/code", code=who.code()).headers["Location"] == "/console/pools"
    assert opens(visitor)


def test_a_one_step_link_signs_in_by_its_button_alone(world: World) -> None:
    who, visitor = world.operator(), world.visitor()
    with world.live.orm():
        from identity.foundation.actor import Actor
        from pools.services.operators import operator_sign_in, operators

        token = operator_sign_in.one_step_link(operators.operator(who.username), by=Actor.system())
    path = "/console/link?" + urlencode({"token": token})

    # Mail scanners and previews look, and so may the browser before its user does.
    for looking in (visitor.get(path), visitor.head(path), world.visitor().get(path)):
        assert looking.status_code == 200
        assert not opens(visitor)
    assert f"Sign in as <bdi>{who.username}</bdi>" in visitor.get(path).text
    assert visitor.post(path).status_code == 200, "shown again: no form of this page was sent"
    assert not opens(visitor)
    assert visitor.send_form(path).headers["Location"] == "/console/pools"

    assert opens(visitor)
    assert world.visitor().get(path).status_code == 410


def test_a_forged_link_is_refused(world: World) -> None:
    who = world.operator()
    link = world.live.manage("create_operator", who.username, "--link").strip().removeprefix(world.base_url)
    assert world.visitor().get(link).status_code == 200
    head, _, token = link.partition("token=")

    for forged in (token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "", "x", "é", "A" * 5000):
        assert world.visitor().get(head + "token=" + forged).status_code == 410


def test_a_link_dies_with_a_new_password(world: World) -> None:
    who = world.operator()
    link = world.live.manage("create_operator", who.username, "--link").strip().removeprefix(world.base_url)
    with world.live.orm():
        from identity.foundation.actor import Actor
        from pools.services.operators import operators

        operators.set_password(operators.operator(who.username), "another long sentence", by=Actor.system())

    assert world.visitor().get(link).status_code == 410


def test_a_new_password_ends_open_sessions(world: World) -> None:
    who = world.operator()
    visitor = world.inside(who)
    assert opens(visitor)
    with world.live.orm():
        from identity.foundation.actor import Actor
        from pools.services.operators import operators

        operators.set_password(operators.operator(who.username), "another long sentence", by=Actor.system())

    assert not opens(visitor)
