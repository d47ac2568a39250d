"""Forms sent by somebody else: without this browser's own token, or from another site. Nothing changes by them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.hosted.world import PASSWORD, TIMEOUT, Form, Page, Visitor, World

PAGES = ["/login", "/signup", "/forgotPassword", "/confirm", "/confirmForgotPassword"]


def post(visitor: Visitor, form: Form, body: dict[str, str], **more: Any) -> Page:
    """Send a form's body as it is."""
    url = visitor.world.live.base_url + form.action
    return Page(visitor.session.post(url, body, allow_redirects=False, timeout=TIMEOUT, **more))


def is_refused(page: Page) -> bool:
    """Say whether a form was refused, with a page that helps."""
    assert "Please load the page again" in page.text or page.status != 403
    return page.status == 403


def is_shown_again(page: Page) -> bool:
    """Say whether a form was not looked at, and its page shown anew, with what was typed but no secret."""
    assert PASSWORD not in page.text
    return page.status == 200 and "This page was loaded again" in page.text and page.form.values["username"] != ""


@pytest.fixture
def form(world: World, visitor: Visitor) -> Form:
    """Return a sign-in form filled in rightly: it works, unless what a test takes from it matters."""
    name = world.person()
    filled = visitor.start().form
    for each in filled.fields:
        each.attributes["value"] = {"username": name, "password": PASSWORD}.get(
            each.name, each.attributes.get("value", "")
        )
    return filled


def test_the_form_itself_is_accepted_with_and_without_an_origin(visitor: Visitor, form: Form) -> None:
    assert post(visitor, form, form.values).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": ""},
        {"Origin": "http://[bad"},
        {"Referer": "https://evil.example/page"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused(visitor: Visitor, form: Form, headers: dict[str, str]) -> None:
    assert is_refused(post(visitor, form, form.values, headers=headers))
    assert visitor.cookie() is None


def test_the_other_scheme_of_the_same_host_is_another_origin(world: World, visitor: Visitor, form: Form) -> None:
    origin = world.live.base_url.replace("http://", "https://")

    assert is_refused(post(visitor, form, form.values, headers={"Origin": origin}))


@pytest.mark.parametrize("token", ["", "00", "nonsense", "é", "0" * 64])
def test_a_form_without_its_token_is_shown_again(visitor: Visitor, form: Form, token: str) -> None:
    assert is_shown_again(post(visitor, form, {**form.values, "form_token": token}))
    assert visitor.cookie() is None


def test_a_form_without_the_nonce_cookie_is_shown_again(world: World, visitor: Visitor, form: Form) -> None:
    assert is_shown_again(post(world.visitor(), form, form.values))
    assert visitor.cookie() is None


def test_another_browsers_token_is_worth_nothing(world: World, visitor: Visitor, form: Form) -> None:
    other = world.visitor().start().form.values["form_token"]

    assert is_shown_again(post(visitor, form, {**form.values, "form_token": other}))
    assert visitor.cookie() is None


def test_another_pages_token_is_worth_nothing(visitor: Visitor, form: Form) -> None:
    other = visitor.start("/forgotPassword").form.values["form_token"]

    assert is_shown_again(post(visitor, form, {**form.values, "form_token": other}))
    assert visitor.cookie() is None


def test_another_pools_token_is_worth_nothing_even_over_the_same_nonce(
    world: World, strict: World, visitor: Visitor, form: Form
) -> None:
    neighbour = strict.visitor()
    neighbour.session.cookies.set(
        f"cg-{strict.pool_id.rpartition('_')[2]}-form",
        visitor.cookie("-form") or "",
        domain="localhost.local",
        path="/",
    )
    other = neighbour.start().form.values["form_token"]
    assert other != form.values["form_token"]

    assert is_shown_again(post(visitor, form, {**form.values, "form_token": other}))
    assert visitor.cookie() is None


def test_a_form_of_before_the_sign_in_leads_on_after_it(world: World, visitor: Visitor) -> None:
    name, other = world.person(), world.person()
    url = world.url()
    old = visitor.open(url).form
    visitor.open(url)
    visitor.submit(username=name, password=PASSWORD)

    page = post(visitor, old, {**old.values, "username": other, "password": PASSWORD})

    assert is_shown_again(page)
    assert page.link(f"Continue as {name}").startswith(f"{world.base}/oauth2/authorize?")


@pytest.mark.parametrize("path", PAGES)
def test_any_old_form_leads_on_whoever_is_signed_in_by_now(world: World, visitor: Visitor, path: str) -> None:
    name = world.person()
    old = visitor.start(path).form
    visitor.sign_in(name)

    page = post(visitor, old, old.values)

    assert page.status == 200
    assert f"Continue as {name}" in page.read.links


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((path, 200) for path in PAGES),
        *((path, 303) for path in ("/resendcode", "/login/totp", "/login/mfa", "/login/new-password")),
        *((path, 303) for path in ("/account", "/account/mfa", "/account/password")),
    ],
)
def test_every_form_is_guarded(world: World, path: str, status: int) -> None:
    answer = requests.post(world.url(path), {"username": "x", "code": "1"}, timeout=TIMEOUT, allow_redirects=False)

    assert answer.status_code == status
    assert (status == 200) == ("This page was loaded again" in answer.text)


@pytest.mark.parametrize("path", ["/confirmUser", "/signedout"])
def test_pages_without_a_form_take_none(world: World, path: str) -> None:
    answer = requests.post(world.url(path), {}, timeout=TIMEOUT)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_get_changes_nothing(world: World) -> None:
    from pools.models import Attempt, BrowserSession, Interaction, OneTimeCode

    def rows() -> list[int]:
        with world.rows() as pool:
            tables = (Attempt, BrowserSession, Interaction, OneTimeCode)
            return [table.objects.filter(pool=pool).count() for table in tables]

    before = rows()
    for path in [*PAGES, "/confirmUser", "/login/totp", "/login/mfa", "/account/mfa", "/signedout"]:
        world.visitor().start(path, username=world.name(), user_name="x", confirmation_code="123456", code="123456")

    assert rows() == before


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe=%00%ff&username=%ED%A0%80",
        b"username=a%00b&password=c%00d",
        b"&".join(b"a%d=1" % number for number in range(300)),
        b"x" * (2 * 1024 * 1024 + 10),
        b"",
    ],
)
def test_a_body_that_is_no_form_is_answered_by_a_page(world: World, visitor: Visitor, body: bytes) -> None:
    action = visitor.start().form.action

    answer = visitor.session.post(
        world.live.base_url + action,
        body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=TIMEOUT,
        allow_redirects=False,
    )

    assert answer.status_code in {200, 400}
    assert (answer.status_code == 200) == ("This page was loaded again" in answer.text)
    assert "<h1>" in answer.text


def test_strange_values_in_an_own_form_are_refused_by_the_form(world: World, visitor: Visitor) -> None:
    visitor.start()
    for typed in (
        {"username": "a\x00b"},
        {"username": "x" * 5000},
        {"password": "p" * 5000},
        {"username": "\ud7ff\u202e"},
    ):
        page = visitor.submit({"username": world.name(), "password": PASSWORD, **typed})
        assert page.status == 200
        assert page.alert


@pytest.mark.parametrize("path", ["/login", "/signup", "/passwordStrength"])
def test_a_form_in_a_charset_that_can_spell_no_text_is_refused(path: str, visitor: Visitor) -> None:
    form = visitor.start().form
    page = visitor.world.url(path)
    token = dict(form.values) | {"username": "+2AA-", "password": "+2AA-"}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in token.items()
    ]

    answer = visitor.session.post(
        page,
        ("".join(parts) + "--b--\r\n").encode(),
        headers={"Content-Type": "multipart/form-data; boundary=b; charset=utf-7"},
        allow_redirects=False,
        timeout=TIMEOUT,
    )

    assert answer.status_code == 400
    assert "This request can" in answer.text
