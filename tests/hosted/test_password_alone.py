"""A browser that is inside by password alone, once its person needs a code: it is worth nothing but its end."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest

from tests.hosted.world import CALLBACK, PASSWORD, Page, Visitor, World
from tests.live import Live


@pytest.fixture
def name(world: World) -> str:
    """Return somebody without a second factor."""
    return world.person()


@pytest.fixture
def thief(world: World, name: str) -> Visitor:
    """Return a browser that came in by the password, and has the page of the second factor open."""
    return inside(world, name)


@pytest.fixture
def owner(world: World, name: str) -> Visitor:
    """Return the same person's own browser, there too."""
    return inside(world, name)


def inside(world: World, name: str) -> Visitor:
    """Return a browser that is signed in by password alone, at the page of the second factor."""
    visitor = world.visitor()
    visitor.open(f"{world.base}/account?client_id={world.client_id}")
    assert visitor.submit(username=name, password=PASSWORD).path == "/account"
    assert visitor.follow("Set up").path == "/account/mfa"
    return visitor


def secret(page: Page) -> str:
    """Return the seed that a page shows."""
    return dict(parse_qsl(urlsplit(page.link("Open in an authenticator app")).query))["secret"]


def enrol(visitor: Visitor) -> str:
    """Set up an authenticator app at its page; return its seed."""
    seed = secret(visitor.submit())
    assert "is set up" in visitor.submit(code=pyotp.TOTP(seed).now()).text
    return seed


def is_removed(world: World, name: str) -> bool:
    """Say whether a sign-in asks for no code any more."""
    return world.visitor().sign_in(name).url.startswith(CALLBACK)


def test_a_thief_who_came_in_before_the_app_was_set_up_cannot_remove_it(
    world: World, name: str, thief: Visitor, owner: Visitor
) -> None:
    enrol(owner)

    assert thief.submit().path == "/login"
    assert thief.open(f"{world.base}/account/mfa?client_id={world.client_id}").path == "/login"
    assert not is_removed(world, name)
    owner.submit()
    assert owner.submit().path == "/account/mfa"
    assert is_removed(world, name)


def test_a_thief_who_came_in_before_the_app_was_set_up_gets_no_more_codes(
    world: World, name: str, thief: Visitor, owner: Visitor
) -> None:
    assert thief.start("/oauth2/authorize").code
    enrol(owner)

    page = thief.start("/oauth2/authorize")

    assert page.path == "/login"
    assert name not in page.text
    assert thief.submit(username=name, password=PASSWORD).path == "/login/totp"
    assert owner.start("/oauth2/authorize").code


def test_the_app_is_told_that_a_sign_in_is_due(thief: Visitor, owner: Visitor) -> None:
    assert thief.start("/oauth2/authorize", prompt="none").code
    enrol(owner)

    assert "error=login_required" in thief.start("/oauth2/authorize", prompt="none").url


@pytest.mark.parametrize("page", ["/account", "/account/mfa", "/account/password"])
def test_no_page_of_the_account_is_shown_to_a_thief(world: World, thief: Visitor, owner: Visitor, page: str) -> None:
    address = f"{world.base}{page}?client_id={world.client_id}"
    assert thief.open(address).path == page
    enrol(owner)

    assert thief.open(address).path == "/login"
    assert owner.open(address).path == page


def test_a_copy_of_the_cookie_does_not_rise_with_the_browser_that_sets_an_app_up(world: World, owner: Visitor) -> None:
    copy = world.visitor()
    copy.session.cookies.update(owner.session.cookies)
    assert copy.start("/oauth2/authorize").code

    enrol(owner)

    assert copy.start("/oauth2/authorize").path == "/login"
    assert owner.cookie() != copy.cookie()
    assert owner.start("/oauth2/authorize").code


def test_setting_an_app_up_does_not_lengthen_a_session_or_make_it_younger(world: World, owner: Visitor) -> None:
    from pools.models import BrowserSession

    def times() -> set[tuple[object, ...]]:
        with world.rows() as pool:
            own = BrowserSession.objects.filter(pool=pool, ended_at=None).order_by("-id")
            return set(own.values_list("auth_time", "expires_at")[:1])

    before = times()
    enrol(owner)

    assert times() == before


def test_an_app_that_was_offered_after_signing_up_leaves_the_browser_inside(world: World) -> None:
    visitor, name = world.visitor(), world.name()
    visitor.start("/signup")
    visitor.submit(username=name, password=PASSWORD)
    page = visitor.submit(code=world.mailed(name))
    assert page.path == "/login/mfa"

    assert visitor.submit(code=pyotp.TOTP(secret(page)).now()).code
    assert visitor.start("/oauth2/authorize").code


def test_an_app_that_was_required_leaves_the_browser_inside(strict: World) -> None:
    visitor = strict.visitor()
    page = visitor.sign_in(strict.person())

    assert visitor.submit(code=pyotp.TOTP(secret(page)).now()).code
    assert visitor.start("/oauth2/authorize").code


def test_a_pool_that_comes_to_require_a_factor_asks_who_is_inside_already(live: Live) -> None:
    world = World(live)
    visitor, name = world.visitor(), world.person()
    assert visitor.sign_in(name).code
    assert visitor.start("/oauth2/authorize").code

    world.idp.set_user_pool_mfa_config(
        UserPoolId=world.pool_id, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}
    )

    assert visitor.start("/oauth2/authorize").path == "/login"
    assert visitor.submit(username=name, password=PASSWORD).path == "/login/mfa"


@pytest.mark.parametrize("way", ["the account", "the app"])
def test_what_is_worth_nothing_more_can_still_be_ended(world: World, thief: Visitor, owner: Visitor, way: str) -> None:
    logout = world.url("/logout", state="", scope="")
    thief.open(f"{world.base}/account?client_id={world.client_id}")
    kept = dict(thief.session.cookies)
    enrol(owner)

    if way == "the account":
        assert thief.submit().path == "/signedout"
    else:
        thief.open(logout)

    owner.submit()
    owner.submit()
    thief.session.cookies.update(kept)
    assert thief.start("/oauth2/authorize").path == "/login"
