"""Whatever is sent to a page, by whoever has come whichever way: a page of ours, and a refusal changes nothing."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.foundation.actor import Actor
from pools.models import AppClient, ExternalLogin, User, UserPool
from pools.ports import NO_WISHES
from pools.services import configuration
from pools.services.providers import identity_providers, introductions, our_side, trips
from pools.services.sign_in import own_factors
from pools.services.sign_in.own_factors import Preference
from tests import factories, providers
from tests.any_input import anything, state
from tests.hosted import in_process
from tests.hosted.in_process import PATHS
from tests.hosted.world import CALLBACK, PASSWORD, Reader

KNOWN, SECURED = "known@example.com", "secured@example.com"
TEXTED, MANY = "texted@example.com", "many@example.com"
FIELDS = [
    *("username", "password", "new_password", "code", "given_name", "email", "key", "answer", "chosen", "confirm"),
    *("action", "factor", "first", "phone_number", "phone_number_country"),
    *("state", "error", "error_description", "iss", "user"),
]
VALUES = [
    *("sms", "totp", "card", "again", "other", "change", "cancel", "start", "remove", "remove_now", "prefer", "verify"),
    *("+12065550123", "0664 1234567", "AT"),
    *(KNOWN, SECURED, "fresh@example.com", PASSWORD, "Battery-staple-8", "123456", "000000", "1", "0", "off", "resent"),
    *("", " ", "\x00", "a\x00b", "\r\nSet-Cookie: a=b", "%", "💥", "é" * 300, "x" * 5000, "<script>", "{{ 7 }}"),
]
QUERIES = [
    *("client_id", "redirect_uri", "response_type", "scope", "state", "code", "user_name", "confirmation_code"),
    *("error", "login_hint", "prompt", "max_age", "resume", "lang"),
    *("error_description", "iss", "landing", "arrival", "identity_provider", "idp_identifier", "email"),
]
TEXT = st.text(max_size=40) | st.sampled_from(VALUES)
FORM = st.lists(st.tuples(st.sampled_from(FIELDS) | st.text(max_size=8), TEXT), max_size=6)
ASKED = TEXT | st.sampled_from([CALLBACK, "code", "account_mfa", "arrival", "Corp", "corp.example", "ada@corp.example"])
QUERY = st.lists(st.tuples(st.sampled_from(QUERIES), ASKED), max_size=4)
STAGE = st.sampled_from(
    ["nobody", "confirming", "recovering", "challenged", "inside", "texted", "choosing", "setting up"]
)
PAGE = st.sampled_from(sorted(PATHS))
ANSWERED = ["code", "state", "error", "error_description", "error_uri", "iss", "landing", "user", "session_state"]
OF_PROVIDERS = TEXT | st.sampled_from(
    ["access_denied", "server_error", "http://127.0.0.1:9", "https://evil.example", "{"]
)
ANSWER = st.lists(st.tuples(st.sampled_from(ANSWERED) | st.text(max_size=8), OF_PROVIDERS), max_size=5)
SAID = st.tuples(st.sampled_from(["code", "error"]), OF_PROVIDERS)
ENDPOINTS = {
    name: f"http://127.0.0.1:9/{name}" for name in ("authorize_url", "token_url", "attributes_url", "jwks_uri")
}
NOWHERE = {**providers.CORP, **ENDPOINTS, "oidc_issuer": "http://127.0.0.1:9"}
"""An identity provider that nobody is: what is traded there ends at once."""
KIND = st.sampled_from(
    [
        *("application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"),
        *("application/json", "application/x-www-form-urlencoded; charset=utf-7", "text/plain", "x", ""),
    ]
)


class Pool:
    """A pool with two people, and the cookies of a browser at each stage of its way."""

    def __init__(self, app: AppClient) -> None:
        """Let browsers come to where they stop."""
        self.app, self.public_id = app, app.pool.public_id
        factories.make_user(app.pool, KNOWN, email=KNOWN, password=PASSWORD)
        factories.give_totp(app.pool, factories.make_user(app.pool, SECURED, email=SECURED, password=PASSWORD))
        for name, kinds in ((TEXTED, ["sms"]), (MANY, ["sms", "totp"])):
            user = factories.make_user(app.pool, name, email=name, password=PASSWORD, phone_number="+12065550100")
            if "totp" in kinds:
                factories.give_totp(app.pool, user)
            own_factors.set_preference(
                app.pool, user, dict.fromkeys(kinds, Preference(enabled=True)), by=Actor.system()
            )
        self.cookies = {
            "nobody": self.after("sign_in"),
            "confirming": self.after("sign_up", username="fresh@example.com", password=PASSWORD),
            "recovering": self.after("forgot", username=KNOWN),
            "challenged": self.after("sign_in", username=SECURED, password=PASSWORD),
            "inside": self.after("sign_in", username=KNOWN, password=PASSWORD),
            "texted": self.after("sign_in", username=TEXTED, password=PASSWORD),
            "choosing": self.after("sign_in", username=MANY, password=PASSWORD),
        }
        self.cookies["setting up"] = self.asks_for_a_number()
        assert self.asked("challenged", "totp").status_code == 200
        assert self.asked("inside", "account").status_code == 200
        assert self.asked("texted", "sms").status_code == 200
        assert self.asked("choosing", "factor_choice").status_code == 200
        assert b"phone_number" in self.asked("setting up", "account_mfa").content

    def after(self, page: str, **typed: str) -> dict[str, str]:
        """Return a browser's cookies after a page and its form, if that is filled in."""
        visitor = in_process.browser()
        shown = visitor.get(self.url(page))
        if typed:
            token = Reader(shown.content.decode()).forms[0].values["form_token"]
            assert visitor.post(self.url(page), {"form_token": token, **typed}).status_code == 303
        return in_process.cookies_of(visitor)

    def asks_for_a_number(self) -> dict[str, str]:
        """Return the cookies of a browser whose account page asks for a number to send codes to."""
        visitor = in_process.browser(self.cookies["inside"])
        token = in_process.form_token(self.cookies["inside"], self.public_id, "account_mfa")
        body = {"form_token": token, "action": "start", "factor": "sms"}
        assert visitor.post(self.url("account_mfa"), body).status_code == 303
        return in_process.cookies_of(visitor)

    def url(self, page: str, query: list[tuple[str, str]] | None = None) -> str:
        """Return the address of a page; the app is named unless another is."""
        asked = {"client_id": self.app.client_id, **dict(query or [])}
        return f"/{self.public_id}/{PATHS[page]}?{urllib.parse.urlencode(asked, errors='surrogatepass')}"

    def asked(self, stage: str, page: str) -> Any:  # noqa: ANN401 - Django's answer
        """Open a page."""
        return in_process.browser(self.cookies[stage]).get(self.url(page))


@pytest.fixture
def pool(transactional_db: None) -> Pool:
    """Return the pool."""
    configuration.cache.forget_everything()
    made = factories.make_pool(
        mfa="OPTIONAL", by_sms=True, username_attributes=["email"], auto_verified_attributes=["email"]
    )
    oauth = {
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": ["code"],
        "allowed_oauth_scopes": ["openid"],
        "callback_urls": [CALLBACK],
    }
    identity_providers.create(
        made, "Corp", kind="OIDC", details=NOWHERE, identifiers=["corp.example"], by=Actor.system()
    )
    introductions.of(made, "SAML")  # whose keys are made when somebody first looks
    made = UserPool.objects.get(pk=made.pk)
    return Pool(factories.make_client(made, supported_identity_providers=["COGNITO", "Corp"], **oauth))


def check(answer: Any, before: tuple[str, ...]) -> None:  # noqa: ANN401 - Django's answer
    """See that an answer is a page of ours, or the way to one, and that what is no way on has changed nothing."""
    assert answer.status_code in {200, 302, 303, 400, 403, 405, 415, 429}
    if answer.status_code in {302, 303}:
        where = urllib.parse.urlsplit(answer["Location"])
        assert where.netloc == "" or answer["Location"].startswith((CALLBACK, ENDPOINTS["authorize_url"]))
        return
    assert b"{{" not in answer.content.replace(b"{{ 7 }}", b"")
    assert b"<script>" not in answer.content
    assert state() == before


@anything
@given(stage=STAGE, page=PAGE, form=FORM, query=QUERY, own=st.integers(0, 5))
def test_any_form_gets_a_page_and_a_refusal_changes_nothing(
    pool: Pool, stage: str, page: str, form: list[tuple[str, str]], query: list[tuple[str, str]], own: int
) -> None:
    browser, before = in_process.browser(pool.cookies[stage]), state()
    body: dict[str, Any] = {}
    for name, value in form:
        body.setdefault(name, []).append(value)
    if own:
        body["form_token"] = in_process.form_token(pool.cookies[stage], pool.public_id, page)

    check(browser.post(pool.url(page, query), body), before)


@anything
@given(stage=STAGE, page=PAGE, query=QUERY)
def test_any_address_gets_a_page(pool: Pool, stage: str, page: str, query: list[tuple[str, str]]) -> None:
    browser, before = in_process.browser(pool.cookies[stage]), state()

    check(browser.get(pool.url(page, query)), before)


@anything
@given(page=PAGE, body=st.binary(max_size=300), kind=KIND)
def test_bytes_that_are_no_form_get_a_page_too(pool: Pool, page: str, body: bytes, kind: str) -> None:
    browser, before = in_process.browser(pool.cookies["nobody"]), state()
    token = in_process.form_token(pool.cookies["nobody"], pool.public_id, page)

    check(browser.generic("POST", pool.url(page), f"form_token={token}&".encode() + body, content_type=kind), before)


@anything
@given(page=PAGE, cookie=st.text(st.characters(codec="latin-1"), max_size=60))
def test_cookies_that_we_never_set_get_a_page_too(pool: Pool, page: str, cookie: str) -> None:
    short = pool.public_id.rpartition("_")[2]
    browser, before = in_process.browser({f"cg-{short}{kind}": cookie for kind in ("", "-form", "-step")}), state()

    check(browser.get(pool.url(page)), before)


@anything
@given(answer=ANSWER, leads=SAID, posted=st.booleans(), own=st.integers(0, 5), again=st.booleans())
def test_any_answer_of_a_provider_gets_a_page_and_makes_nobody(
    pool: Pool, answer: list[tuple[str, str]], leads: tuple[str, str], posted: bool, own: int, again: bool
) -> None:
    """On a trip that is under way, in its own browser; the same answer again finds it spent."""
    browser = in_process.browser({f"cg-{pool.public_id.rpartition('_')[2]}-trip": "b" * 32})
    people = (User.objects.count(), ExternalLogin.objects.count())
    corp = trips.named(pool.app, name="Corp")
    assert corp is not None
    query = urllib.parse.urlencode({"client_id": pool.app.client_id, "response_type": "code"})
    back = our_side.of(pool.app.pool, "OIDC").callback
    there = trips.depart(pool.app, corp, query=query, back=back, browser="b" * 32, wishes=NO_WISHES)
    [state] = urllib.parse.parse_qs(urllib.parse.urlsplit(there).query)["state"]
    given = dict([*answer, leads, *([("state", state)] if own else [])])

    for _ in range(1 + again):
        if posted:
            shown = browser.post(pool.url("provider_answer"), given)
            assert shown.status_code in {303, 400}
            if shown.status_code == 303:
                shown = browser.get(shown["Location"])
        else:
            shown = browser.get(pool.url("provider_answer", list(given.items())))
        assert shown.status_code in {400, 403, 503}
        assert b"{{" not in shown.content.replace(b"{{ 7 }}", b"")
        assert b"<script>" not in shown.content
    assert (User.objects.count(), ExternalLogin.objects.count()) == people
