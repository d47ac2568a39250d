"""The account's own pages: who is signed in, an authenticator app, signing out."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qsl, urljoin, urlsplit

import pyotp
import pytest
import requests

from tests.hosted.world import PASSWORD, Reader, Visitor, World
from tests.live import Live


@pytest.fixture
def person(world: World, visitor: Visitor) -> str:
    """Return somebody who is signed in and looks at their account."""
    name = world.person()
    visitor.open(f"{world.base}/account?client_id={world.client_id}")
    assert visitor.submit(username=name, password=PASSWORD).path == "/account"
    return name


def age(world: World, minutes: int) -> None:
    """Make every sign-in of the pool so much older."""
    from django.db.models import F

    from pools.models import BrowserSession

    with world.rows() as pool:
        BrowserSession.objects.filter(pool=pool).update(auth_time=F("auth_time") - timedelta(minutes=minutes))


def test_an_authenticator_is_set_up_and_removed(world: World, visitor: Visitor, person: str) -> None:
    visitor.follow("Set up")
    page = visitor.submit()
    secret = dict(parse_qsl(urlsplit(page.link("Open in an authenticator app")).query))["secret"]

    assert "That code didn't work." in visitor.submit(code="000000").alert
    page = visitor.submit(code=pyotp.TOTP(secret).now())
    assert "Your authenticator app is set up." in page.text
    assert world.visitor().sign_in(person).path == "/login/totp"

    page = visitor.submit()
    assert "Remove the authenticator app?" in page.text
    assert visitor.follow("Keep it").path == "/account/mfa"
    assert world.visitor().sign_in(person).path == "/login/totp"

    visitor.submit()
    page = visitor.submit()
    assert "Your authenticator app is removed." in page.text
    assert world.visitor().sign_in(person).code


def test_how_to_sign_in_changes_only_after_a_fresh_proof(world: World, visitor: Visitor, person: str) -> None:
    visitor.follow("Set up")
    old = visitor.cookie()
    age(world, 11)

    page = visitor.submit()
    assert page.path == "/login"
    assert "before you change how you sign in" in page.text.replace("&#x27;", "'")
    assert page.form["username"]["value"] == person

    page = visitor.submit(password=PASSWORD)
    assert page.path == "/account/mfa"
    assert visitor.cookie() != old
    assert "<svg" in visitor.submit().text


def test_a_pool_that_requires_a_factor_keeps_it(strict: World) -> None:
    visitor, name = strict.visitor(), strict.person()
    page = visitor.sign_in(name)
    secret = dict(parse_qsl(urlsplit(page.link("Open in an authenticator app")).query))["secret"]
    assert visitor.submit(code=pyotp.TOTP(secret).now()).code

    page = visitor.open(f"{strict.base}/account/mfa?client_id={strict.client_id}")

    assert page.read.forms == []
    assert "required here" in page.text


def test_signing_out_ends_the_session_for_copies_of_its_cookie_too(world: World, visitor: Visitor, person: str) -> None:
    copy = world.visitor()
    copy.session.cookies.update(visitor.session.cookies)
    address = f"{world.base}/account?client_id={world.client_id}"
    assert copy.open(address).path == "/account"

    assert visitor.submit().path == "/signedout"

    assert visitor.cookie() is None
    assert visitor.open(address).path == "/login"
    assert copy.open(address).path == "/login"


def test_a_disabled_person_is_out_at_once(world: World, visitor: Visitor, person: str) -> None:
    world.disable(person)

    assert visitor.open(f"{world.base}/account?client_id={world.client_id}").path == "/login"


@pytest.mark.parametrize("path", ["/account", "/account/mfa", "/account/password"])
@pytest.mark.parametrize("by_app", [True, False])
def test_whoever_is_signed_out_signs_in_and_comes_back(
    world: World, visitor: Visitor, path: str, *, by_app: bool
) -> None:
    page = visitor.open(f"{world.base}{path}" + (f"?client_id={world.client_id}" if by_app else ""))
    assert page.path == "/login"
    assert page.status == 200

    assert visitor.submit(username=world.person(), password=PASSWORD).path == path


def test_the_account_of_nobody_where_no_app_has_pages_asks_for_an_app(world: World) -> None:
    pool_id = world.idp.create_user_pool(PoolName="without apps")["UserPool"]["Id"]

    page = world.visitor().open(f"{world.live.base_url}/{pool_id}/account")

    assert page.status == 400
    assert "which app" in page.alert


PHONES = [
    {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari"},
    {"User-Agent": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"},
    {"Sec-CH-UA-Mobile": "?1"},
]
ELSEWHERE = [{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"}, {"Sec-CH-UA-Mobile": "?0"}]


@pytest.mark.parametrize("headers", [*PHONES, *ELSEWHERE])
def test_on_a_phone_set_up_begins_with_the_app_and_leaves_the_keyboard_away(
    strict: World, headers: dict[str, str]
) -> None:
    visitor = strict.visitor()
    visitor.session.headers.update(headers)
    page = visitor.sign_in(strict.person())
    wrong = visitor.submit(code="000000")

    for each in (page, wrong):
        tags = [tag for tag, _ in each.read.tags]
        link = next(at for at, (tag, given) in enumerate(each.read.tags) if given.get("href", "").startswith("otpauth"))
        assert (link < tags.index("details")) == (headers in PHONES)
        assert ("autofocus" in each.form["code"]) == (headers not in PHONES)
    assert wrong.form["code"]["aria-invalid"] == "true"
    assert wrong.form["code"]["aria-describedby"].startswith("code_error")


def test_a_page_names_the_app_and_never_the_pool_and_shows_no_mark_of_ours_beside_it(live: Live) -> None:
    world = World(live)
    only = world.visitor().open(f"{world.base}/signedout").text
    world.app("Cameras")
    pages = {
        "one app": only,
        "by an app": world.visitor().start().text,
        "one of several": world.visitor().open(f"{world.base}/signedout").text,
        "no app": world.visitor().open(f"{world.base}/login").text,
    }

    brands = {
        kind: re.findall(r'<p class="brand">(?:\s*<svg.*?</svg>)?\s*<bdi>(.*?)</bdi>', text, re.DOTALL)
        for kind, text in pages.items()
    }
    assert brands == {
        "one app": ["Photos"],
        "by an app": ["Photos"],
        "one of several": [],
        "no app": ["Cognate"],
    }
    assert {kind for kind, text in pages.items() if "mark-a" in text} == {"no app"}
    assert {kind for kind, text in pages.items() if "Cognate" in Reader(text).title} == {"no app"}
    assert Reader(pages["one of several"]).title == "You are signed out"
    for text in pages.values():
        icons = [given["href"] for tag, given in Reader(text).tags if given.get("rel") == "icon"]
        assert len(icons) == 1
        assert "mark" not in icons[0]
        assert requests.get(urljoin(live.base_url, icons[0]), timeout=30).headers["Content-Type"] == "image/svg+xml"
