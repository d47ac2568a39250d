"""Addresses that people are lured to: what they say is never run, and never decides where somebody is sent."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from pytest_django import Settings

from tests import factories
from tests.hosted import in_process
from tests.hosted.world import CALLBACK, PASSWORD, TIMEOUT, Page, World

SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{ 7|add:7 }}{% debug %}",
    "</title><svg onload=alert(1)>",
    "\u2028alert(1)\r\nSet-Cookie: x=y",
]
PAGES = [
    "/login",
    "/signup",
    "/forgotPassword",
    "/confirm",
    "/confirmForgotPassword",
    "/confirmUser",
    "/error",
    "/signedout",
]
ECHOED = [
    "state",
    "login_hint",
    "nonce",
    "scope",
    "error",
    "error_description",
    "user_name",
    "confirmation_code",
    "code",
    "lang",
    "resume",
]
MUTATIONS = [
    "https://evil.example/callback",
    "https://app.example.evil.example/callback",
    "https://app.example@evil.example/callback",
    "https://app.example\\@evil.example/callback",
    "https://app.example/callback/",
    "https://app.example/callback?x=1",
    "https://app.example/callback#x",
    "https://app.example/callback/../evil",
    "https://APP.example/callback",
    "https://app.example:443/callback",
    "http://app.example/callback",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://[::1]/callback",
    "https://app.example%2f@evil.example/callback",
    " https://app.example/callback",
    "*",
    "",
]

OWN_SCRIPTS = {"/static/hosted/hosted.js", "/static/hosted/once.js", "/static/hosted/strength.js"}


def inert(page: Page, script: str) -> None:
    """Check that a page shows a text without running it."""
    tags = [tag for tag, _ in page.read.tags]
    sources = [given.get("src") for tag, given in page.read.tags if tag == "script"]
    assert set(sources) <= OWN_SCRIPTS, script
    assert len(sources) == len(set(sources)), script
    assert "img" not in tags
    for tag, given in page.read.tags:
        assert not [name for name in given if name.startswith("on")], (tag, given)
        assert not given.get("href", "").lower().startswith(("javascript", "data")), given
    assert "14{" not in page.text
    assert "x" not in page.answer.cookies


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("script", SCRIPTS)
def test_what_an_address_says_is_never_run(world: World, path: str, script: str) -> None:
    page = world.visitor().start(path, **dict.fromkeys(ECHOED, script))

    assert page.status in {200, 400}
    inert(page, script)


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_a_form_says_is_never_run(world: World, script: str) -> None:
    visitor = world.visitor()
    visitor.start()
    inert(visitor.submit(username=script, password=script), script)
    visitor.start("/forgotPassword")
    inert(visitor.submit(username=script), script)
    visitor.start("/signup")
    inert(visitor.submit(username=script, password=PASSWORD), script)


def test_the_name_of_an_app_is_never_run(world: World) -> None:
    name = "".join(SCRIPTS[:2]).replace("=", "")
    try:
        client_id = world.app(name)
    except world.idp.exceptions.InvalidParameterException:
        client_id = world.app("A + B @ C, D.")
    page = world.visitor().start(client_id=client_id)

    inert(page, name)


@pytest.mark.parametrize("uri", MUTATIONS)
def test_an_address_that_is_not_registered_is_never_followed(world: World, uri: str) -> None:
    query = urlencode({"client_id": world.client_id, "response_type": "code", "scope": "openid", "redirect_uri": uri})
    for path in ("/login", "/signup", "/account", "/signedout"):
        answer = requests.get(f"{world.base}{path}?{query}", timeout=TIMEOUT, allow_redirects=False)
        assert answer.status_code == 400, (path, uri)
        assert "Location" not in answer.headers
        assert "set up right" in answer.text


@pytest.mark.parametrize(
    "query",
    ["", "client_id=", "client_id=unknown", "client_id=a%00b", "client_id=" + "x" * 500],
)
def test_an_unknown_app_is_a_page_and_no_way_on(world: World, query: str) -> None:
    answer = requests.get(f"{world.base}/login?{query}", timeout=TIMEOUT, allow_redirects=False)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_another_pools_app_is_unknown_here(world: World, strict: World) -> None:
    page = world.visitor().start(client_id=strict.client_id)

    assert page.status == 400
    assert "We don't know this app" in page.text.replace("&#x27;", "'")


def test_a_doubled_parameter_is_refused(world: World) -> None:
    twice = f"{world.url()}&redirect_uri=https%3A%2F%2Fevil.example"

    assert world.visitor().open(twice).status == 400


def test_nothing_but_our_own_pages_is_named_by_where_to_resume(world: World) -> None:
    visitor, name = world.visitor(), world.person()
    visitor.open(f"{world.base}/login?" + urlencode({"client_id": world.client_id, "resume": "https://evil.example"}))

    assert visitor.submit(username=name, password=PASSWORD).path == "/account"


def test_a_page_that_does_not_exist_says_so_in_the_pools_own_look(world: World) -> None:
    page = world.visitor().open(f"{world.base}/nowhere/at/all")

    assert page.status == 404
    assert "Page not found" in page.read.title
    assert page.answer.headers["x-amzn-RequestId"] in page.text


def test_an_error_page_speaks_only_our_own_words(world: World) -> None:
    page = world.visitor().open(f"{world.base}/error?error=Your+account+is+closed.+Call+0800-EVIL")

    assert page.status == 400
    assert "EVIL" not in page.text


def test_the_callback_is_reached_by_get_with_nothing_of_ours(world: World) -> None:
    page = world.visitor().sign_in(world.person())

    assert page.url.startswith(CALLBACK + "?")
    assert page.url.count("?") == 1
    assert world.pool_id not in page.url.partition("iss=")[0]


FOREIGN = "https://app.example/callback/<b>&not"


@pytest.mark.parametrize(
    ("path", "name", "registered"),
    [
        ("/login", "redirect_uri", CALLBACK),
        ("/oauth2/authorize", "redirect_uri", CALLBACK),
        ("/logout", "redirect_uri", CALLBACK),
        ("/logout", "logout_uri", "https://app.example/bye"),
    ],
)
def test_an_address_that_is_not_registered_is_shown_in_development_and_logged(
    world: World, path: str, name: str, registered: str
) -> None:
    client_id = world.app("Photos", LogoutURLs=["https://app.example/bye"])
    query = urlencode({"client_id": client_id, "response_type": "code", "scope": "openid", name: FOREIGN})

    page = world.visitor().open(f"{world.base}{path}?{query}")

    assert page.status == 400
    shown = unescape(re.sub(r"<code[^>]*>", "<code>", page.text))
    assert f"<code>{FOREIGN}</code>" in shown
    assert f"<code>{registered}</code>" in shown
    reference = shown.rpartition("<code>")[2].partition("</code>")[0]
    lines = [line for line in world.live.log("web").splitlines() if "redirect_mismatch" in line and reference in line]
    assert len(lines) == 1
    assert client_id in lines[0]
    assert "app.example/callback/" in lines[0]


@pytest.mark.parametrize("forged", ["", "x", "sealed for another pool"])
def test_nobody_else_puts_an_address_on_the_error_page(world: World, strict: World, forged: str) -> None:
    if forged.startswith("sealed"):
        moved = requests.get(strict.url("/oauth2/authorize", redirect_uri=FOREIGN), timeout=TIMEOUT)
        forged = dict(parse_qsl(urlsplit(moved.url).query))["mismatch"]

    page = world.visitor().open(f"{world.base}/error?" + urlencode({"error": "redirect_mismatch", "mismatch": forged}))

    assert "set up right" in page.text
    assert "What came" not in page.text


def test_addresses_are_not_shown_where_people_are(transactional_db: None, settings: Settings) -> None:
    settings.MODE = "production"
    client = factories.make_client(factories.make_pool(), **factories.PAGES)
    query = {"client_id": client.client_id, "redirect_uri": FOREIGN}

    answer = in_process.browser().get(f"/{client.pool.public_id}/login", query)

    assert answer.status_code == 400
    assert "app.example" not in answer.content.decode()
