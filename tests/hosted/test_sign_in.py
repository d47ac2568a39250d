"""Signing in by pages: what leads on, what does not, and what the words give away."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest

from tests.hosted.world import CALLBACK, OTHER_PASSWORD, PASSWORD, Page, Visitor, World

FAILED = "That sign-in didn't work. Check the details and try again, or reset your password."


def test_a_person_signs_in_and_reaches_the_app_with_its_state(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.open(world.url("/oauth2/authorize", state="kept-by-us"))
    assert visitor.here.path == "/login"

    page = visitor.submit(username=name, password=PASSWORD)

    assert page.code
    assert dict(parse_qsl(urlsplit(page.url).query))["state"] == "kept-by-us"


@pytest.mark.parametrize("what", ["wrong password", "nobody", "disabled"])
def test_whoever_fails_reads_the_same_sentence(world: World, visitor: Visitor, what: str) -> None:
    name = world.person() if what != "nobody" else world.name()
    if what == "disabled":
        world.disable(name)

    page = visitor.sign_in(name, OTHER_PASSWORD if what == "wrong password" else PASSWORD)

    assert (page.status, page.alert) == (200, FAILED)
    assert page.read.title.startswith("Error: Sign in")
    assert page.form["username"]["value"] == name
    assert PASSWORD not in page.text
    assert OTHER_PASSWORD not in page.text


def test_an_empty_form_says_what_is_missing_at_its_fields(visitor: Visitor) -> None:
    visitor.start()

    page = visitor.submit(username="", password="")

    assert "Please check these:" in page.alert
    for name in ("username", "password"):
        assert page.form[name]["aria-invalid"] == "true"
        assert page.form[name]["aria-describedby"] == f"{name}_error"
    assert "autofocus" in page.form["username"]


def test_a_password_that_an_operator_ended_is_a_wrong_one(world: World, visitor: Visitor) -> None:
    """Who has an account is not said, so the way on is the page's own link to a new password."""
    name = world.person()
    world.end_password(name)

    page = visitor.sign_in(name)

    assert (page.path, page.alert) == ("/login", FAILED)
    assert visitor.follow("Forgot your password?").path == "/forgotPassword"


@pytest.mark.parametrize("is_known", [True, False])
def test_too_many_tries_lock_known_and_unknown_names_alike(world: World, visitor: Visitor, *, is_known: bool) -> None:
    name = world.person() if is_known else world.name()

    pages = [visitor.sign_in(name, OTHER_PASSWORD) for _ in range(7)]

    assert pages[-1].status == 429
    assert pages[-1].alert.startswith("Too many tries. Try again in ")
    assert int(pages[-1].answer.headers["Retry-After"]) >= 1
    assert [page.status for page in pages[:5]] == [200] * 5


def test_a_second_factor_is_asked_for_and_a_wrong_code_may_be_corrected(world: World, visitor: Visitor) -> None:
    name = world.person()
    secret = world.give_totp(name)
    assert visitor.sign_in(name).path == "/login/totp"

    wrong = visitor.submit(code="000000")
    assert wrong.path == "/login/totp"
    assert wrong.alert == "That code didn't work. Enter the code your app shows now."
    assert wrong.form["code"]["aria-invalid"] == "true"

    assert visitor.submit(code=" ".join(next_code(secret))).code


def test_a_sign_in_that_waits_for_a_code_starts_again_once_the_password_was_ended(
    world: World, visitor: Visitor
) -> None:
    name = world.person()
    secret = world.give_totp(name)
    assert visitor.sign_in(name).path == "/login/totp"

    world.end_password(name)
    page = visitor.submit(code=next_code(secret))

    assert page.path == "/login"
    assert visitor.cookie() is None
    assert visitor.sign_in(name).alert == FAILED


def next_code(secret: str) -> str:
    """Return the code of the next step: the present one was spent by enrolment, and one step of drift is allowed."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def test_a_temporary_password_is_replaced_before_anything_else(world: World, visitor: Visitor) -> None:
    name = world.person(temporary=True)
    page = visitor.sign_in(name)
    assert page.path == "/login/new-password"
    assert page.form["new_password"]["autocomplete"] == "new-password"

    weak = visitor.submit(new_password="short")
    assert weak.alert == "That password is too short. Add a capital letter. Add a number. Add a symbol, such as ! or #."
    assert weak.form["new_password"]["aria-describedby"] == "new_password_error password_policy"

    assert visitor.submit(new_password=OTHER_PASSWORD).code
    assert world.visitor().sign_in(name, PASSWORD).alert == FAILED
    assert world.visitor().sign_in(name, OTHER_PASSWORD).code


def test_a_required_factor_is_set_up_on_the_way(strict: World) -> None:
    visitor, name = strict.visitor(), strict.person()
    page = visitor.sign_in(name)
    assert page.path == "/login/mfa"
    assert "Not now" not in page.read.links
    secret = dict(parse_qsl(urlsplit(page.link("Open in an authenticator app")).query))["secret"]

    assert visitor.submit(code="000000").alert == "That code didn't work. Enter the code your app shows now."
    assert visitor.submit(code=pyotp.TOTP(secret).now()).code


def test_the_second_factor_cannot_be_stepped_over(world: World) -> None:
    visitor, name = world.visitor(), world.person()
    world.give_totp(name)
    address = world.url()
    visitor.open(address)
    assert visitor.submit(username=name, password=PASSWORD).path == "/login/totp"

    query = address.partition("?")[2]
    for path in ("/oauth2/authorize", "/login/mfa", "/account", "/account/mfa"):
        led = visitor.open(f"{world.base}{path}?{query}").path
        assert led in {"/login", "/login/totp", "/oauth2/authorize"}, path
    assert visitor.cookie() is None


def test_pages_of_a_step_lead_to_the_start_where_no_such_step_is_due(world: World, visitor: Visitor) -> None:
    for path in ("/login/totp", "/login/mfa", "/login/new-password"):
        page = visitor.start(path)
        assert page.path == "/login", path
        assert "That took too long. Please sign in again." in page.text


def test_the_session_changes_with_each_proof_and_the_old_one_ends(world: World, visitor: Visitor) -> None:
    name = world.person()
    assert visitor.sign_in(name).code
    first, first_nonce = visitor.cookie(), visitor.cookie("-form")

    visitor.sign_in(name, prompt="login")

    assert visitor.cookie() not in {None, first}
    assert visitor.cookie("-form") != first_nonce
    thief = world.visitor()
    thief.session.cookies.set(f"cg-{world.pool_id.rpartition('_')[2]}", first or "")
    assert thief.open(world.url("/oauth2/authorize")).path == "/login"


def test_a_session_planted_before_is_not_the_one_after(world: World, visitor: Visitor) -> None:
    cookie = f"cg-{world.pool_id.rpartition('_')[2]}"
    visitor.session.cookies.set(cookie, "A" * 64, domain="localhost.local", path="/")

    assert visitor.sign_in(world.person()).code

    values = [each.value for each in visitor.session.cookies if each.name == cookie]
    assert any(value != "A" * 64 for value in values)


def test_somebody_signed_in_may_carry_on_unless_the_app_asks_again(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.sign_in(name)

    assert visitor.start().link(f"Continue as {name}")
    assert visitor.follow(f"Continue as {name}").code
    assert f"Continue as {name}" not in visitor.start(prompt="login").read.links
    assert visitor.open(world.url("/oauth2/authorize", prompt="login")).path == "/login"
    assert visitor.submit(username=name, password=PASSWORD).code


def two_tabs(world: World, visitor: Visitor) -> tuple[list[str], list[str], list[Page]]:
    """Stop at the second factor in two tabs, as two people; return names, seeds and pages."""
    names = [world.person(), world.person()]
    secrets = [world.give_totp(name) for name in names]
    return names, secrets, [visitor.sign_in(name) for name in names]


def test_two_tabs_do_not_disturb_each_other(world: World, visitor: Visitor) -> None:
    names, secrets, tabs = two_tabs(world, visitor)

    for name, tab in zip(names, tabs, strict=True):
        assert name in visitor.open(tab.url).text
    visitor.page = tabs[0]
    assert visitor.submit(code=next_code(secrets[0])).code


def test_no_step_of_before_outlives_a_sign_in(world: World, visitor: Visitor) -> None:
    names, secrets, tabs = two_tabs(world, visitor)
    visitor.page = tabs[0]
    assert visitor.submit(code=next_code(secrets[0])).code

    page = visitor.open(tabs[1].url)

    assert page.path == "/login"
    assert names[1] not in page.text


@pytest.mark.parametrize("name", ["a" * 2000, "\u0800" * 2000, "\U0001f600" * 2000])
def test_however_long_a_name_is_the_cookie_stays_one_that_browsers_take(
    world: World, visitor: Visitor, name: str
) -> None:
    for _ in range(2):
        visitor.start("/forgotPassword")
        visitor.submit(username=name)
        assert len(visitor.cookie("-step") or "") <= 3800


def test_cookies_are_for_the_browser_alone_and_answers_are_not_kept(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.start()
    form = visitor.here.form

    answer = visitor.session.post(
        world.live.base_url + form.action,
        {**form.values, "username": name, "password": PASSWORD},
        allow_redirects=False,
        timeout=30,
    )

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/{world.pool_id}/oauth2/authorize?")
    for line in answer.headers["Set-Cookie"].split(", cg-"):
        assert "HttpOnly" in line
        assert "SameSite=Lax" in line
        assert "Path=/" in line
    page = visitor.start()
    assert page.answer.headers["Cache-Control"] == "no-store"
    policy = page.answer.headers["Content-Security-Policy"]
    assert "form-action" not in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy


def test_without_an_oauth_request_sign_in_leads_to_the_account(world: World, visitor: Visitor) -> None:
    name = world.person()
    visitor.open(f"{world.base}/login?client_id={world.client_id}")

    page = visitor.submit(username=name, password=PASSWORD)

    assert page.path == "/account"
    assert name in page.text
    assert CALLBACK not in page.text


def test_more_sign_ins_than_can_be_served_are_told_when_to_come_back(world: World) -> None:
    # A crowd has addresses of its own, or it would be one address that fails too often.
    visitors = [world.visitor(f"127.0.1.{number}") for number in range(1, 41)]
    for visitor in visitors:
        visitor.start()

    with ThreadPoolExecutor(len(visitors)) as pool:
        pages = list(pool.map(lambda visitor: visitor.submit(username=world.name(), password=PASSWORD), visitors))

    assert {page.status for page in pages} == {200, 429}
    for page in pages:
        if page.status == 429:
            assert int(page.answer.headers["Retry-After"]) >= 1
            assert "Very busy just now" in page.read.title
            assert page.link("Load the page again").startswith(world.base)
    assert world.visitor().sign_in(world.person()).code
