"""When an app wants a sign-in of now: how it is asked for, believed once, and not got round."""

from __future__ import annotations

from datetime import timedelta

import pytest

from identity.foundation import clock
from pools.oidc import authorize
from pools.services import access
from tests.oidc.world import CALLBACK, World, said, target

ASKING = [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "60"}, {"max_age": "0"}]


@pytest.mark.parametrize("asked", ASKING)
def test_a_fresh_sign_in_is_asked_for_once_and_then_believed(world: World, asked: dict[str, str]) -> None:
    browser = world.browser(world.ann, signed_in_ago=120)

    first = browser.authorize(world.public, **asked)
    back = said(first)
    again = browser.get("/oauth2/authorize", **back)
    browser.sign_in(world.ann)
    answered = browser.get("/oauth2/authorize", **back)

    assert target(first) == target(again) == f"/{world.pool_id}/login"
    assert first.status_code == 303
    assert target(answered) == CALLBACK
    assert "code" in said(answered)


@pytest.mark.parametrize("asked", ASKING)
@pytest.mark.parametrize("made_up", ["0", "1", "x"])
def test_nobody_gets_round_a_fresh_sign_in_by_saying_when_they_came(
    world: World, asked: dict[str, str], made_up: str
) -> None:
    answer = world.browser(world.ann, signed_in_ago=120).authorize(world.public, signed_in_since=made_up, **asked)

    assert target(answer) == f"/{world.pool_id}/login"
    assert said(answer)["signed_in_since"] != made_up


def test_when_a_request_came_is_noted_for_its_own_app(world: World) -> None:
    apps = world.public, world.app("other")
    noted = [said(world.browser().authorize(app, prompt="login"))["signed_in_since"] for app in apps]
    browser = world.browser(world.ann)

    answers = [browser.authorize(apps[0], prompt="login", signed_in_since=each) for each in noted]

    assert [target(answer) for answer in answers] == [CALLBACK, f"/{world.pool_id}/login"]


def test_a_note_of_another_request_is_worth_nothing(world: World) -> None:
    browser = world.browser()
    kept = said(browser.authorize(world.public, prompt="login", state="first"))
    browser.sign_in(world.ann)
    assert "code" in said(browser.get("/oauth2/authorize", **kept))

    for changed in ({"state": "second"}, {"nonce": "n"}, {"scope": "openid"}, {"max_age": "0"}):
        assert target(browser.get("/oauth2/authorize", **{**kept, **changed})) == f"/{world.pool_id}/login", changed


def test_a_note_that_another_browser_got_before_is_worth_nothing(world: World) -> None:
    kept = said(world.browser().authorize(world.public, prompt="login", state="another's"))["signed_in_since"]
    browser = world.browser(world.ann)

    answer = browser.authorize(world.public, prompt="login", state="own", signed_in_since=kept)

    assert target(answer) == f"/{world.pool_id}/login"
    assert said(answer)["signed_in_since"] != kept


@pytest.mark.parametrize(("minutes", "holds"), [(59, True), (61, False)])
def test_a_note_is_believed_for_an_hour(world: World, minutes: int, holds: bool) -> None:
    asked = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "prompt": "login"}
    with world.live.orm():
        request = authorize.AuthorizationRequest(access.pool(world.pool_id), asked, frozenset())
        kept = authorize.seal_moment(request, clock.now() - timedelta(minutes=minutes))

    answer = world.browser(world.ann).authorize(world.public, prompt="login", signed_in_since=kept)

    assert ("code" in said(answer)) is holds
    assert holds or target(answer) == f"/{world.pool_id}/login"


def test_what_the_pages_do_not_carry_leads_round_in_no_circle(world: World) -> None:
    browser = world.browser(world.ann, signed_in_ago=120)
    dropped = {"error": "x", "code": "y", "user_name": "z", "confirmation_code": "1"}
    page = browser.authorize(world.public, prompt="login", **dropped)
    assert dropped.keys().isdisjoint(said(page))
    browser.sign_in(world.ann)

    answer = browser.get("/oauth2/authorize", **said(page))

    assert target(answer) == CALLBACK
    assert "code" in said(answer)


@pytest.mark.parametrize(
    ("max_age", "ago", "holds"), [("1", 30, True), ("1", 62, False), ("60", 119, True), ("60", 122, False)]
)
def test_a_sign_in_that_answered_the_request_stays_fresh_while_its_redirect_is_followed(
    world: World, max_age: str, ago: int, holds: bool
) -> None:
    asked = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "max_age": max_age}
    with world.live.orm():
        request = authorize.AuthorizationRequest(access.pool(world.pool_id), asked, frozenset())
        before, after = (authorize.seal_moment(request, clock.now() - timedelta(seconds=ago + by)) for by in (60, -5))
    browser = world.browser(world.ann, signed_in_ago=ago)

    answered = browser.authorize(world.public, max_age=max_age, signed_in_since=before)
    another = browser.authorize(world.public, max_age=max_age, signed_in_since=after)

    assert ("code" in said(answered)) is holds
    assert target(another) == f"/{world.pool_id}/login"  # it was there before this request came


def test_a_max_age_at_the_login_page_itself_is_noted_first(world: World) -> None:
    asked = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "max_age": "1"}
    browser = world.browser()

    moved = browser.get("/login", **asked)

    assert target(moved) == f"/{world.pool_id}/oauth2/authorize"
    assert "signed_in_since" in said(browser.get("/oauth2/authorize", **said(moved)))


def test_max_age_lets_a_young_session_pass_and_refuses_an_old_one_silently(world: World) -> None:
    young = world.browser(world.ann, signed_in_ago=30).authorize(world.public, max_age="60", prompt="none")
    old = world.browser(world.ann, signed_in_ago=90).authorize(world.public, max_age="60", prompt="none")

    assert "code" in said(young)
    assert said(old)["error"] == "login_required"
