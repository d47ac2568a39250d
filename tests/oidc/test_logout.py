"""/logout: it ends the browser's session, leads only where registered, and is not made by a page that only embeds."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin

import pytest

from tests.oidc import pages
from tests.oidc.world import AFTER_LOGOUT, CALLBACK, World, said, target


def test_cognitos_logout_ends_the_session_and_goes_to_the_registered_address(world: World) -> None:
    browser = world.browser(world.ann)
    assert browser.is_signed_in

    answer = browser.get("/logout", client_id=world.public.id, logout_uri=AFTER_LOGOUT)

    assert answer.status_code == 302
    assert answer.headers["Location"] == AFTER_LOGOUT
    assert answer.headers["Set-Cookie"].startswith(browser.session.cookies.keys()[0] + '="";')
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert not browser.is_signed_in


def test_the_session_is_dead_even_for_who_kept_the_cookie(world: World) -> None:
    browser = world.browser(world.ann)
    kept = browser.session.cookies.copy()

    browser.get("/logout", client_id=world.public.id, logout_uri=AFTER_LOGOUT)
    browser.session.cookies = kept

    assert not browser.is_signed_in


def test_logout_to_sign_in_again_carries_the_request_on(world: World) -> None:
    browser = world.browser(world.ann)
    asked = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}

    answer = browser.get("/logout", **asked)

    assert target(answer) == f"/{world.pool_id}/login"
    assert said(answer) == asked
    assert not browser.is_signed_in


def test_openid_connects_logout_gives_the_state_back(world: World) -> None:
    browser = world.browser(world.ann)
    hint = world.tokens()["id_token"]

    answer = browser.get("/logout", id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="a b")

    assert target(answer) == AFTER_LOGOUT
    assert said(answer) == {"state": "a b"}
    assert not browser.is_signed_in


def test_a_hint_alone_leads_to_our_own_last_page(world: World) -> None:
    browser = world.browser(world.ann)

    answer = browser.get("/logout", id_token_hint=world.tokens()["id_token"])

    assert answer.headers["Location"] == f"/{world.pool_id}/signedout"
    assert not browser.is_signed_in


def test_tokens_live_on(world: World) -> None:
    browser = world.browser(world.ann)
    issued = world.tokens()

    browser.get("/logout", client_id=world.public.id, logout_uri=AFTER_LOGOUT)

    assert world.user_info(issued["access_token"]).status_code == 200


def test_only_this_browser_is_signed_out(world: World) -> None:
    here, there = world.browser(world.ann), world.browser(world.ann)

    here.get("/logout", client_id=world.public.id, logout_uri=AFTER_LOGOUT)

    assert not here.is_signed_in
    assert there.is_signed_in


def wrong_requests(world: World, other_world: World) -> dict[str, dict[str, str]]:
    """Return logout requests that lead nowhere registered."""
    client = world.public.id
    hint = world.tokens()["id_token"]
    return {
        "no client": {"logout_uri": AFTER_LOGOUT},
        "an unknown address": {"client_id": client, "logout_uri": "https://evil.example"},
        "almost the address": {"client_id": client, "logout_uri": AFTER_LOGOUT + "/"},
        "the address, encoded": {"client_id": client, "logout_uri": AFTER_LOGOUT.replace("bye", "%62ye")},
        "a script": {"client_id": client, "logout_uri": "javascript:alert(1)"},
        "a callback as logout address": {"client_id": client, "logout_uri": CALLBACK},
        "a logout address as callback": {"client_id": client, "redirect_uri": AFTER_LOGOUT, "response_type": "code"},
        "no response_type": {"client_id": client, "redirect_uri": CALLBACK},
        "an unknown client": {"client_id": "unknown", "logout_uri": AFTER_LOGOUT},
        "another pool's client": {"client_id": other_world.public.id, "logout_uri": AFTER_LOGOUT},
        "another pool's hint": {
            "id_token_hint": other_world.tokens()["id_token"],
            "post_logout_redirect_uri": AFTER_LOGOUT,
        },
        "a forged hint": {"id_token_hint": hint[:-8] + "AAAAAAAA", "post_logout_redirect_uri": AFTER_LOGOUT},
        "an access token as hint": {
            "id_token_hint": world.tokens()["access_token"],
            "post_logout_redirect_uri": AFTER_LOGOUT,
        },
        "a hint and another client": {
            "id_token_hint": hint,
            "client_id": world.confidential.id,
            "post_logout_redirect_uri": AFTER_LOGOUT,
        },
        "somebody else's hint": {
            "id_token_hint": world.tokens(world.person())["id_token"],
            "post_logout_redirect_uri": AFTER_LOGOUT,
        },
    }


def test_a_logout_that_leads_nowhere_registered_ends_nothing(world: World, other_world: World) -> None:
    browser = world.browser(world.ann)

    for name, asked in wrong_requests(world, other_world).items():
        answer = browser.get("/logout", **asked)

        assert answer.status_code == 302, name
        assert target(answer) == f"/{world.pool_id}/error", name
        assert browser.is_signed_in, name


@pytest.mark.parametrize("mode", ["no-cors", "cors", "same-origin", "websocket"])
def test_an_embedded_image_or_script_signs_nobody_out(world: World, mode: str) -> None:
    browser = world.browser(world.ann)
    url = world.url(f"/logout?client_id={world.public.id}&logout_uri={AFTER_LOGOUT}")

    embedded = browser.session.get(url, headers={"Sec-Fetch-Mode": mode}, allow_redirects=False, timeout=20)

    assert target(embedded) == f"/{world.pool_id}/error"
    assert browser.is_signed_in
    browser.session.get(url, headers={"Sec-Fetch-Mode": "navigate"}, allow_redirects=False, timeout=20)
    assert not browser.is_signed_in


@pytest.mark.parametrize("embedding", ["iframe", "frame", "embed", "object", "empty"])
def test_a_frame_of_a_neighbouring_site_signs_nobody_out(world: World, embedding: str) -> None:
    browser = world.browser(world.ann)
    url = world.url(f"/logout?client_id={world.public.id}&logout_uri={AFTER_LOGOUT}")
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-site"}

    def come(destination: str) -> str:
        sent = {**headers, "Sec-Fetch-Dest": destination}
        return target(browser.session.get(url, headers=sent, allow_redirects=False, timeout=20))

    assert come(embedding) == f"/{world.pool_id}/error"
    assert browser.is_signed_in
    assert come("document") == AFTER_LOGOUT
    assert not browser.is_signed_in


def test_a_posted_logout_becomes_a_navigation(world: World) -> None:
    browser = world.browser(world.ann)
    form = {"client_id": world.public.id, "logout_uri": AFTER_LOGOUT}

    moved = browser.session.post(world.url("/logout"), form, allow_redirects=False, timeout=20)

    assert moved.status_code == 303
    assert target(moved) == f"/{world.pool_id}/logout"
    assert said(moved) == form
    assert browser.is_signed_in


def test_a_browser_that_is_not_signed_in_is_sent_on_all_the_same(world: World) -> None:
    answer = world.browser().get("/logout", client_id=world.public.id, logout_uri=AFTER_LOGOUT)

    assert answer.headers["Location"] == AFTER_LOGOUT


# -- asked first (OpenID Connect RP-Initiated Logout 1.0 section 2)


def asked_first(world: World) -> dict[str, tuple[dict[str, str], str]]:
    """Return logout requests that show no hint, and where each leads in the end."""
    own = f"/{world.pool_id}/signedout"
    strict = world.strict.id
    sign_in_again = {"client_id": strict, "redirect_uri": CALLBACK, "response_type": "code"}
    return {
        "nothing": ({}, own),
        "state alone": ({"state": "s"}, own),
        "what nobody knows": ({"ui_locales": "se", "logout_hint": "ann", "x": "y"}, own),
        "an app alone": ({"client_id": world.public.id}, own),
        "a strict app alone": ({"client_id": strict, "state": "s"}, own),
        "a strict app and its address": (
            {"client_id": strict, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "a b"},
            f"{AFTER_LOGOUT}?state=a+b",
        ),
        "a strict app, as Cognito's": ({"client_id": strict, "logout_uri": AFTER_LOGOUT}, AFTER_LOGOUT),
        "a strict app, to sign in again": (sign_in_again, f"/{world.pool_id}/login?{urlencode(sign_in_again)}"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "state alone",
        "what nobody knows",
        "an app alone",
        "a strict app alone",
        "a strict app and its address",
        "a strict app, as Cognito's",
        "a strict app, to sign in again",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whom_no_hint_names_is_asked_and_then_signed_out(world: World, name: str, method: str) -> None:
    given, end = asked_first(world)[name]
    browser = world.browser(world.ann)
    if method == "GET":
        asked = browser.session.get(world.url("/logout"), params=given, timeout=20)
    else:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        asked = browser.session.post(world.url("/logout"), given, headers=headers, timeout=20)
    assert (asked.status_code, "Sign out?" in asked.text, world.ann.email in asked.text) == (200, True, True)
    assert browser.is_signed_in

    form = pages.Form(asked)
    forged = browser.session.post(form.action, {**form.fields, "form_token": "00"}, allow_redirects=False, timeout=20)
    assert (forged.status_code, browser.is_signed_in) == (200, True)  # asked again
    answer = browser.session.post(form.action, form.fields, allow_redirects=False, timeout=20)
    back = browser.session.get(urljoin(answer.url, answer.headers["Location"]), allow_redirects=False, timeout=20)

    assert (answer.status_code, back.status_code, back.headers["Location"]) == (303, 302, end)
    assert not browser.is_signed_in


def test_who_is_not_signed_in_is_not_asked(world: World) -> None:
    for name, (given, end) in asked_first(world).items():
        assert world.browser().get("/logout", **given).headers["Location"] == end, name
    assert target(world.browser().get("/signout")) == f"/{world.pool_id}/logout"


def test_a_strict_app_with_a_hint_asks_nobody(world: World) -> None:
    browser = world.browser(world.ann)
    hint = world.tokens(None, world.strict)["id_token"]

    answer = browser.get("/logout", id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="s")

    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state=s"
    assert not browser.is_signed_in


def test_a_hint_of_a_strict_app_that_does_not_hold_ends_and_asks_nothing(world: World) -> None:
    browser = world.browser(world.ann)
    spoiled = world.tokens(None, world.strict)["id_token"][:-8] + "AAAAAAAA"
    after = {"post_logout_redirect_uri": AFTER_LOGOUT}

    for given in ({}, after, {"client_id": world.strict.id}, {"client_id": world.strict.id, **after}):
        answer = browser.get("/logout", id_token_hint=spoiled, **given)

        assert target(answer) == f"/{world.pool_id}/error", given
    assert browser.is_signed_in


def test_an_address_with_a_query_of_somebody_elses_is_not_the_registered_one(world: World) -> None:
    browser = world.browser(world.ann)
    hint = world.tokens(None, world.strict)["id_token"]

    answer = browser.get("/logout", id_token_hint=hint, post_logout_redirect_uri=f"{AFTER_LOGOUT}?foo=bar")

    assert (target(answer), browser.is_signed_in) == (f"/{world.pool_id}/error", True)


# -- HEAD is a look


def test_head_answers_like_get_and_ends_nothing(world: World) -> None:
    browser = world.browser(world.ann)
    hint = world.tokens()["id_token"]
    logout = {"client_id": world.public.id, "logout_uri": AFTER_LOGOUT}
    authorize = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code"}
    link = {"client_id": world.public.id, "user_name": "ann", "confirmation_code": "123456"}
    pages_of: list[tuple[str, dict[str, str]]] = [
        ("/signout", {}),
        ("/account", {}),
        ("/login", authorize),
        ("/confirmUser", link),
    ]
    machines: list[tuple[str, dict[str, str]]] = [("/oauth2/userInfo", {}), ("/.well-known/openid-configuration", {})]
    for path, given in [
        ("/logout", logout),
        ("/logout", {"id_token_hint": hint}),
        ("/logout", {}),
        *pages_of,
        *machines,
    ]:
        looked = browser.session.head(world.url(path), params=given, allow_redirects=False, timeout=20)

        assert "Set-Cookie" not in looked.headers, path
        assert looked.content == b"", path
        assert browser.is_signed_in, path
        if path != "/logout":
            got = browser.get(path, **given)
            assert (looked.status_code, looked.headers["Content-Type"]) == (
                got.status_code,
                got.headers["Content-Type"],
            )
    assert target(browser.session.head(world.url("/logout"), params=logout, timeout=20)) == AFTER_LOGOUT
    moved = browser.session.head(world.url("/oauth2/authorize"), params=authorize, timeout=20)
    assert (moved.status_code, target(moved)) == (302, CALLBACK)
