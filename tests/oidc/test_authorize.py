"""/oauth2/authorize: what leads to a code, what to the login page, what back to the app, and what to nobody."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
import requests

from pools.oidc import authorize
from pools.services.tokens import interactions
from tests.oidc.world import CALLBACK, MOBILE, PASSWORD, App, Proof, World, claims, said, target


def test_a_signed_in_browser_gets_a_code_the_state_and_the_issuer(world: World) -> None:
    answer = world.browser(world.ann).authorize(world.public, state="a b&c=d/é", scope="openid")

    assert answer.status_code == 302
    assert target(answer) == CALLBACK
    told = said(answer)
    assert told["state"] == "a b&c=d/é"
    assert told["iss"] == world.issuer
    assert str(uuid.UUID(told["code"])) == told["code"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content == b""


def test_a_browser_that_is_not_signed_in_goes_to_the_login_page_with_the_same_request(world: World) -> None:
    asked = {
        "state": "s/é",
        "nonce": "n",
        "scope": "openid email",
        "login_hint": "ann@example.org",
        **Proof().challenge,
    }

    answer = world.browser().authorize(world.public, **asked)

    assert answer.status_code == 303
    assert target(answer) == f"/{world.pool_id}/login"
    expected = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", **asked}
    assert said(answer) == expected


def test_a_posted_request_is_carried_over_to_a_get_so_that_the_cookie_comes_along(world: World) -> None:
    form = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}

    moved = world.browser(world.ann).session.post(world.url("/oauth2/authorize"), form, allow_redirects=False)

    assert moved.status_code == 303
    assert target(moved) == f"/{world.pool_id}/oauth2/authorize"
    assert said(moved) == form


def test_a_mobile_app_is_answered_at_its_own_scheme_and_keeps_its_own_query(world: World) -> None:
    answer = world.browser(world.ann).authorize(world.public, redirect_uri=MOBILE)

    assert answer.headers["Location"].startswith(MOBILE + "&code=")


@pytest.mark.parametrize("given", [{}, {"redirect_uri": ""}], ids=["left out", "empty"])
def test_without_a_redirect_uri_people_come_back_to_the_apps_default(world: World, given: dict[str, str]) -> None:
    app, other = world.app("with a default", DefaultRedirectURI=MOBILE), world.app("without one")
    asked = {"response_type": "code", "state": "s", **given}
    browser = world.browser(world.ann)

    answer = browser.get("/oauth2/authorize", client_id=app.id, **asked)

    assert (target(answer), said(answer)["state"]) == (MOBILE.partition("?")[0], "s")
    code = said(answer)["code"]
    assert world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK).status_code == 400
    code = said(browser.get("/oauth2/authorize", client_id=app.id, **asked))["code"]
    assert world.token(app, "authorization_code", code=code, redirect_uri=MOBILE).json()["access_token"]
    nobodys = world.app("of no provider", DefaultRedirectURI=MOBILE, SupportedIdentityProviders=[])
    for each in (other, nobodys):
        refused = browser.get("/oauth2/authorize", client_id=each.id, **asked)
        assert "error=redirect_mismatch" in refused.headers["Location"]


@pytest.mark.parametrize(
    "redirect_uri",
    [
        CALLBACK + "/",
        CALLBACK + "?x=1",
        CALLBACK + "#x",
        CALLBACK + "/../evil",
        CALLBACK + "%2e%2e",
        CALLBACK.upper(),
        CALLBACK.replace("https", "http"),
        CALLBACK.replace("callback", "%63allback"),
        CALLBACK.replace("app.example", "app.example:443"),
        CALLBACK.replace("app.example", "app.example."),
        CALLBACK.replace("app.example", "app.example.evil.example"),
        CALLBACK.replace("app.example", "app.example@evil.example"),
        CALLBACK.replace("app.example", "evil.example\\@app.example"),
        CALLBACK.replace("app.example", "evil.example#@app.example"),
        CALLBACK.replace("app.example", "evil.example%23@app.example"),
        CALLBACK.replace("app.example", "аpp.example"),
        CALLBACK.replace("//", "//evil.example/"),
        CALLBACK.replace("//", "/\\"),
        "//app.example/callback",
        "///app.example/callback",
        "/callback",
        "https:app.example/callback",
        "https://*.example/callback",
        "https://[::1]/callback",
        "https://127.0.0.1/callback",
        "javascript:alert(1)//https://app.example/callback",
        "data:text/html,hi",
        " " + CALLBACK,
        CALLBACK + " ",
        CALLBACK + "\n",
        CALLBACK + "\x00",
        "",
    ],
)
@pytest.mark.parametrize("prompt", ["", "none"])
def test_a_redirect_uri_that_differs_by_anything_leads_to_our_own_page(
    world: World, redirect_uri: str, prompt: str
) -> None:
    answer = world.browser(world.ann).authorize(world.public, redirect_uri=redirect_uri, prompt=prompt)

    assert answer.status_code == 302
    assert target(answer) == f"/{world.pool_id}/error"
    assert set(said(answer)) <= {"error", "client_id", "mismatch"}
    assert "evil" not in answer.headers["Location"]
    assert said(answer)["error"] in {"redirect_mismatch", "invalid_request"}


def test_the_error_page_explains_itself_and_leads_nowhere(world: World) -> None:
    browser = world.browser()
    moved = browser.authorize(world.public, redirect_uri="https://evil.example/")

    shown = browser.session.get(world.live.base_url + moved.headers["Location"], allow_redirects=False, timeout=20)

    assert shown.status_code == 400
    assert not re.search(r"""(href|src|action|content)=["']?[^"'>]*evil""", shown.text)
    assert "text/html" in shown.headers["Content-Type"]


@pytest.mark.parametrize("client_id", ["", "unknown", "x" * 500, "a\x00b", "' OR 1=1", "é"])
def test_an_unknown_client_leads_to_our_own_page(world: World, client_id: str) -> None:
    answer = world.browser(world.ann).authorize(App(client_id, None))

    assert answer.status_code == 302
    assert target(answer) == f"/{world.pool_id}/error"


def test_a_client_of_another_pool_is_unknown(world: World, other_world: World) -> None:
    answer = world.browser(world.ann).authorize(other_world.public)

    assert said(answer)["error"] == "unknown_client"
    assert target(answer) == f"/{world.pool_id}/error"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_redirect_uri_leads_to_our_own_page(world: World, name: str) -> None:
    query = f"client_id={world.public.id}&redirect_uri={CALLBACK}&response_type=code&{name}=https://evil.example"

    answer = requests.get(f"{world.url('/oauth2/authorize')}?{query}", allow_redirects=False, timeout=20)

    assert target(answer) == f"/{world.pool_id}/error"
    assert said(answer)["error"] == "invalid_request" if name == "client_id" else "redirect_mismatch"


REFUSED = [
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "id_token"}, "invalid_request"),
    ({"response_type": "code id_token"}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"scope": "openid photos/none"}, "invalid_scope"),
    ({"scope": "openid photos/read"}, "invalid_scope"),
    ({"scope": "email"}, "invalid_scope"),
    ({"code_challenge": "x" * 43}, "invalid_request"),
    ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "x" * 43, "code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": "x" * 42, "code_challenge_method": "S256"}, "invalid_request"),
    ({"code_challenge": "x" * 44, "code_challenge_method": "S256"}, "invalid_request"),
    ({"code_challenge": "!" * 43, "code_challenge_method": "S256"}, "invalid_request"),
    ({"code_challenge_method": "S256"}, "invalid_request"),
    ({"nonce": "n" * 2049}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "create"}, "invalid_request"),
    ({"prompt": "NONE"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "١"}, "invalid_request"),
    ({"max_age": "9" * 400}, "invalid_request"),
    ({"max_age": "2147483648"}, "invalid_request"),
    ({"max_age": "1.5"}, "invalid_request"),
    ({"identity_provider": "Google"}, "invalid_request"),
    ({"idp_identifier": "example.org"}, "invalid_request"),
    ({"resource": "https://api.example"}, "invalid_target"),
    ({"request": "e30.e30."}, "request_not_supported"),
    ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
]


@pytest.mark.parametrize(("wrong", "error"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_wrong_with_a_request_is_told_to_the_app_before_anyone_signs_in(
    world: World, wrong: dict[str, str], error: str
) -> None:
    for browser in (world.browser(), world.browser(world.ann)):
        answer = browser.authorize(world.public, state="s", **wrong)

        assert answer.status_code == 302
        assert target(answer) == CALLBACK
        told = said(answer)
        assert told["error"] == error
        assert told["state"] == "s"
        assert told["iss"] == world.issuer
        assert "code" not in told


@pytest.mark.parametrize("max_age", ["1000000000", "2147483647", "0000000060"])
def test_a_max_age_of_any_32_bits_is_read(world: World, max_age: str) -> None:
    assert "code" in said(world.browser(world.ann).authorize(world.public, max_age=max_age))


def test_a_repeated_parameter_is_refused(world: World) -> None:
    query = f"client_id={world.public.id}&redirect_uri={CALLBACK}&response_type=code&nonce=a&nonce=b&state=s"

    answer = requests.get(f"{world.url('/oauth2/authorize')}?{query}", allow_redirects=False, timeout=20)

    assert target(answer) == CALLBACK
    assert said(answer)["error"] == "invalid_request"


def test_the_implicit_grant_is_refused_in_the_fragment_where_its_clients_look(world: World) -> None:
    answer = world.browser(world.ann).authorize(world.public, response_type="token")

    assert urlsplit(answer.headers["Location"]).query == ""
    assert said(answer)["error"] == "unauthorized_client"


def test_a_client_without_the_code_grant_gets_no_code(world: World) -> None:
    closed = world.app("closed", AllowedOAuthFlowsUserPoolClient=False, AllowedOAuthFlows=[], AllowedOAuthScopes=[])

    answer = world.browser(world.ann).authorize(closed)

    assert target(answer) in {CALLBACK, f"/{world.pool_id}/error"}
    assert "error" in said(answer)
    assert "code" not in said(answer)


def test_prompt_none_shows_no_page(world: World) -> None:
    stranger = world.browser().authorize(world.public, prompt="none", state="s")
    known = world.browser(world.ann).authorize(world.public, prompt="none", state="s")

    assert target(stranger) == CALLBACK
    assert said(stranger)["error"] == "login_required"
    assert target(known) == CALLBACK
    assert "code" in said(known)


def test_the_id_token_says_when_the_person_signed_in_and_repeats_the_nonce(world: World) -> None:
    before = int(datetime.now(UTC).timestamp())
    browser = world.browser(world.ann, signed_in_ago=40)
    code = said(browser.authorize(world.public, scope="openid", nonce="once"))["code"]

    issued = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK).json()

    told = claims(issued["id_token"])
    assert told["nonce"] == "once"
    assert abs(told["auth_time"] - (before - 40)) <= 3


def test_an_id_token_hint_of_somebody_else_is_not_answered_with_a_code(world: World) -> None:
    bob = world.person()
    hint = world.tokens(bob)["id_token"]

    another = world.browser(world.ann).authorize(world.public, prompt="none", id_token_hint=hint)
    same = world.browser(bob).authorize(world.public, prompt="none", id_token_hint=hint)

    assert said(another)["error"] == "login_required"
    assert "code" in said(same)


@pytest.mark.parametrize("spoil", ["", "x", "A" * 64, "é" * 40, "=" * 64])
def test_a_cookie_that_is_none_of_ours_signs_nobody_in(world: World, spoil: str) -> None:
    browser = world.browser(world.ann)
    name = browser.session.cookies.keys()[0]
    answers = [
        browser.authorize(world.public, prompt="none"),
        requests.get(
            world.url("/oauth2/authorize"),
            {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "prompt": "none"},
            headers={"Cookie": f"{name}={spoil}".encode()},
            allow_redirects=False,
            timeout=20,
        ),
    ]

    assert "code" in said(answers[0])
    assert said(answers[1])["error"] == "login_required"


def test_a_session_of_another_pool_signs_nobody_in(world: World, other_world: World) -> None:
    browser = world.browser(world.ann)
    elsewhere = other_world.browser(other_world.ann)
    value = elsewhere.session.cookies.values()[0]
    browser.session.cookies.set(browser.session.cookies.keys()[0], value)

    assert "code" in said(elsewhere.authorize(other_world.public, prompt="none"))
    assert said(browser.authorize(world.public, prompt="none"))["error"] == "login_required"


def test_a_person_who_is_disabled_gets_no_code(world: World) -> None:
    bob = world.person()
    browser = world.browser(bob)
    assert browser.is_signed_in

    world.disable(bob)

    assert not browser.is_signed_in


def test_a_sign_out_everywhere_ends_the_browser_session_too(world: World) -> None:
    bob = world.person()
    browser = world.browser(bob)
    assert browser.is_signed_in
    signed_in = world.live.boto(signed=False).initiate_auth(
        ClientId=world.public.id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": bob.email, "PASSWORD": PASSWORD},
    )

    world.live.boto(signed=False).global_sign_out(AccessToken=signed_in["AuthenticationResult"]["AccessToken"])

    assert not browser.is_signed_in


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(world: World, method: str) -> None:
    assert requests.request(method, world.url("/oauth2/authorize"), timeout=20).status_code == 405


GARBAGE = [
    "client_id=%ff",
    "%00=1",
    "client_id=%00",
    "&&&===",
    "a=1&" * 500,
    "client_id=" + "x" * 7000,
    "client_id[]=1",
    "%",
    "client_id=%E0%A4%A",
    "state=%0d%0aLocation:%20https://evil.example",
]


NAMES_NOTHING = {"&&&===", "client_id[]=1", "%"}
"""Garbage without a parameter of ours, which is no more to /logout than to be asked for."""


@pytest.mark.parametrize(
    ("path", "query"),
    [("/oauth2/authorize", query) for query in GARBAGE]
    + [("/logout", query) for query in GARBAGE if query not in NAMES_NOTHING],
    ids=lambda text: text[:24],
)
def test_garbage_leads_to_our_own_page(world: World, path: str, query: str) -> None:
    asked = requests.get(f"{world.url(path)}?{query}", allow_redirects=False, timeout=20)
    posted = requests.post(world.url(path), data=query.encode(), allow_redirects=False, timeout=20)
    as_form = requests.post(
        world.url(path),
        data=query.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
        timeout=20,
    )

    for answer in (asked, posted, as_form):
        assert answer.status_code == 302
        assert target(answer) == f"/{world.pool_id}/error"


def test_a_pool_that_does_not_exist_is_not_found(world: World) -> None:
    url = f"{world.live.base_url}/us-east-1_Nowhere00/oauth2/authorize"

    assert requests.get(url, timeout=20, allow_redirects=False).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("is_inside", [True, False])
def test_a_request_too_long_for_our_pages_is_refused_to_the_app_and_one_that_fits_gets_through(
    world: World, method: str, is_inside: bool
) -> None:
    asked = {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code", "prompt": "login"}
    room = interactions.CARRIED - authorize.OWN_LENGTH - len(urlencode({**asked, "state": ""}))

    def come(state: str) -> requests.Response:
        browser = world.browser(world.ann if is_inside else None)
        sent = {**asked, "state": state}
        if method == "GET":
            return browser.get("/oauth2/authorize", **sent)
        return browser.session.post(world.url("/oauth2/authorize"), sent, allow_redirects=False, timeout=20)

    fitting, longer, longest = come("s" * room), come("s" * (room + 1)), come("s" * 40_000)

    assert requests.get(urljoin(world.issuer, fitting.headers["Location"]), timeout=20).status_code == 200
    for refused in (longer, longest):
        assert target(refused) == CALLBACK
        assert said(refused)["error"] == "invalid_request"
        assert said(refused)["state"].startswith("sss")


def test_a_request_too_long_for_our_pages_is_told_to_nobody_who_is_not_known(world: World) -> None:
    answer = world.browser().authorize(world.public, redirect_uri="https://evil.example", state="s" * 7000)

    assert target(answer) == f"/{world.pool_id}/error"
