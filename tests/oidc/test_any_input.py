"""Whatever is sent: an answer of the protocol's own, never a failure, and no secret in what a run prints."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connections
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from identity.foundation.call import Answer, Call
from pools.models import AppClient
from pools.oidc import authorize, logout, registration, resources, token
from pools.services import access
from tests import factories
from tests.oidc.world import AFTER_LOGOUT, CALLBACK, Proof, World, said
from tests.walks import walk

anything = walk(60)
NAMES = [
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "max_age", "response_mode"),
    *("code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "signed_in_since", "logout_uri"),
    *("post_logout_redirect_uri", "grant_type", "code", "code_verifier", "refresh_token", "client_secret", "token"),
    *("token_type_hint", "access_token"),
]
TEXT = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [CALLBACK, AFTER_LOGOUT, "code", "S256", "none", "login", "openid", "authorization_code", "refresh_token"]
    ),
    st.sampled_from(["client_credentials", "a.b.c", "e30.e30.e30", "-1", "0", "9" * 30, "%", "\x00", "\r\nX: y", "💥"]),
)
PAIRS = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=10)), TEXT), max_size=12)
HEADER = st.one_of(
    st.just(""), st.sampled_from(["Basic ", "Basic Og==", "Bearer a.b.c", "Bearer "]), st.text(max_size=40)
)


@pytest.fixture
def client(db: None) -> AppClient:
    """Return a public client with the code grant, of a pool where others register."""
    return factories.make_client(
        factories.make_pool(dcr_configuration={"open_dcr_enabled": True}),
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid"],
        callback_urls=[CALLBACK],
        logout_urls=[AFTER_LOGOUT],
    )


def well_formed(answer: Answer) -> None:
    """See that a machine is answered in OAuth's form."""
    assert answer.status in {200, 400, 401, 403, 405, 413, 429}
    if answer.status != 200:
        told = json.loads(answer.body)
        assert set(told) <= {"error", "error_description"}
        assert all(31 < ord(each) < 127 and each not in '"\\' for value in told.values() for each in value)


@anything
@given(pairs=PAIRS, header=HEADER, named=st.booleans(), form=st.booleans())
def test_machines_are_answered_in_oauths_form(
    client: AppClient, pairs: list[tuple[str, str]], header: str, named: bool, form: bool
) -> None:
    body = urlencode([*pairs, ("client_id", client.client_id)] if named else pairs, errors="surrogatepass").encode()
    headers = {"authorization": header} if header else {}
    if form:
        headers["content-type"] = "application/x-www-form-urlencoded"
    for endpoint in (token.token, resources.revoke, resources.user_info):
        well_formed(endpoint(Call("POST", "/", "", headers, body, "127.0.0.1", "id", client.pool.public_id)))


@anything
@given(raw=st.binary(max_size=200))
def test_bytes_that_are_no_form_are_answered_too(client: AppClient, raw: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for endpoint in (token.token, resources.revoke, resources.user_info):
        well_formed(endpoint(Call("POST", "/", "", headers, raw, "127.0.0.1", "id", client.pool.public_id)))


MEMBERS = [
    *("client_name", "redirect_uris", "grant_types", "response_types", "scope", "token_endpoint_auth_method"),
    *("software_statement", "jwks", "post_logout_redirect_uris", "subject_type", "client_name#de"),
]
WORDS = st.one_of(TEXT, st.sampled_from(["authorization_code", "client_credentials", "none", "openid email", "RS256"]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
METADATA = st.dictionaries(st.sampled_from(MEMBERS), st.one_of(JSON, st.lists(WORDS, max_size=3)), max_size=6)


@anything
@given(metadata=st.one_of(METADATA, JSON), known=st.booleans(), number=st.integers(1, 250))
def test_whoever_registers_is_answered_in_oauths_form(
    client: AppClient, metadata: object, known: bool, number: int
) -> None:
    if known and isinstance(metadata, dict):
        metadata = {"redirect_uris": [CALLBACK], **metadata}
    headers, body = {"content-type": "application/json"}, json.dumps(metadata).encode()

    answer = registration.register(
        Call("POST", "/", "", headers, body, f"192.0.2.{number}", "id", client.pool.public_id)
    )

    if answer.status == 201:
        assert access.client_in(client.pool, json.loads(answer.body)["client_id"]).registered == "openly"
    else:
        well_formed(answer)


@pytest.mark.urls("identity.pool_urls")
@anything
@given(pairs=PAIRS, known=st.booleans(), cookie=st.text(alphabet=st.characters(codec="ascii"), max_size=80))
def test_a_browser_is_only_ever_sent_to_our_pages_or_a_registered_address(
    client: AppClient, pairs: list[tuple[str, str]], known: bool, cookie: str
) -> None:
    own = [("client_id", client.client_id), ("redirect_uri", CALLBACK), ("response_type", "code")]
    query = urlencode([*own, *pairs] if known else pairs, errors="surrogatepass")
    for view in (authorize.authorize, logout.logout):
        request = RequestFactory().get(f"/?{query}")
        request.META["HTTP_COOKIE"] = f"cg-{client.pool.public_id[-9:]}={cookie}"
        request.pool = client.pool.public_id  # type: ignore[attr-defined]

        answer = view(request)

        assert answer.status_code in {302, 303}
        where = answer["Location"].partition("?")[0].partition("#")[0]
        assert where in {CALLBACK, AFTER_LOGOUT} or urlsplit(where).netloc == ""
        assert where.startswith(("https://app.example/", "/login", "/error", "/signedout", "/signout"))


def test_a_database_that_is_away_is_told_as_such(django_db_blocker: DjangoDbBlocker) -> None:
    body = urlencode({"grant_type": "client_credentials", "client_id": "x"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    true = connections["default"]
    connections["default"] = type(true)({**true.settings_dict, "HOST": "/nowhere"}, "default")
    try:
        with django_db_blocker.unblock():
            answer = token.token(Call("POST", "/", "", headers, body, "127.0.0.1", "id", "us-east-1_Unheard00"))
    finally:
        connections["default"] = true

    assert answer.status == 503
    assert json.loads(answer.body)["error"] == "temporarily_unavailable"
    assert answer.headers["retry-after"] == "1"


def test_nothing_secret_is_printed(world: World) -> None:
    proof, app = Proof(), world.confidential
    browser = world.browser(world.ann)
    code = said(browser.authorize(app, nonce="n-of-this-test", **proof.challenge))["code"]
    issued = world.token(
        app, "authorization_code", code=code, redirect_uri="https://app.example/callback", code_verifier=proof.verifier
    ).json()
    world.token(app, "refresh_token", refresh_token=issued["refresh_token"])
    world.token(app, "refresh_token", refresh_token=issued["refresh_token"], client_secret="a-wrong-secret")
    queried = {"client_secret": "a-secret-in-the-query", "code": "a-code-in-the-query"}
    for path in ("/oauth2/token", "/oauth2/token/"):  # with and without Django's request
        world.post(path, None, params={"grant_type": "authorization_code", "client_id": app.id, **queried})
    world.user_info(issued["access_token"])
    world.user_info(issued["access_token"][:-3] + "AAA")
    browser.get("/logout", id_token_hint=issued["id_token"], post_logout_redirect_uri=AFTER_LOGOUT)

    printed = world.live.log("web")

    assert "/oauth2/token" in printed
    secrets = [code, proof.verifier, app.secret, "a-wrong-secret", *queried.values(), *browser.session.cookies.values()]
    secrets += [issued[name] for name in ("access_token", "id_token", "refresh_token")]
    assert not [secret for secret in secrets if secret and secret[:40] in printed]
