"""Whatever an operator's browser or program sends to the console and the management API: a clear answer, and a refusal
changes nothing."""

from __future__ import annotations

import json
import re
import urllib.parse
import uuid
from typing import Any

import pytest
from django.conf import settings as settings_of_django
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from identity.console.api_urls import API
from identity.console.urls import INSIDE, OUTSIDE
from identity.foundation import names
from pools.services import configuration
from pools.services.operators import operator_sign_in, operators
from pools.services.pools import client_settings, pool_settings
from pools.services.user_imports import jobs
from tests import factories
from tests.any_input import anything, state
from tests.console.world import PASSWORD

PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
PAGES = [route for route, _, _ in (*INSIDE, *OUTSIDE)]
ROUTES = [*PAGES, "console/nowhere", *(f"api/{route}" for route, _, _ in API), "api/schema/", "api/docs/", "api/v1/no"]
FIELDS = ["name", "kind", "scopes", "callback_urls", "logout_urls", "description", "username", "password", "code"]
FIELDS += ["search", "by", "token", "after", "limit", "to", "next", "confirm", "prefix", "page_size", "cursor", "query"]
FIELDS += ["oidc_issuer", "client_id", "client_secret", "identifiers", "claim-email", "details", "state", "landing"]
FIELDS += [
    "attribute_mapping",
    "asks_second_factor",
    "sign_in",
    "self_sign_up",
    *pool_settings.TABLE.choices,
    *client_settings.TABLE.choices,
]
WORDS = [
    "",
    " ",
    "0",
    "-1",
    "9" * 30,
    "true",
    "public",
    "machine",
    "https://app.example/callback",
    "javascript:alert(1)",
]
WORDS += ["\x00", "a\x00b", "<script>", "x" * 5000, "é" * 300, "💥", "%", "..", "../..", 'email ^= "a"', "openid"]
WORDS += ["email", "phone_number", "username", "OFF", "ON"]
TEXT = st.text(max_size=40) | st.sampled_from(WORDS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | TEXT, inner, max_size=4),
    max_leaves=8,
)
PAIRS = st.lists(st.tuples(st.sampled_from(FIELDS) | TEXT, TEXT), max_size=6)
METHOD = st.sampled_from(["GET", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])


class Installation:
    """A pool with an app and people, and an operator's browser."""

    def __init__(self) -> None:
        """Make them."""
        pool = factories.make_pool(username_attributes=["email"])
        who = operators.create(f"ada{factories.number()}", password=PASSWORD, by=factories.BY)
        operator_sign_in.enrol(who, by=factories.BY, confirmed=True)
        key_id, _ = operators.create_key(who, by=factories.BY)
        person, client = factories.make_user(pool), factories.make_client(pool, **factories.PAGES)
        self.known = {
            "pool_id": pool.public_id,
            "client_id": client.client_id,
            "sub": str(person.sub),
            "job_id": jobs.create(pool, "move", log_role="arn", by=factories.BY).public_id,
            "key": "disable",
            "key_id": key_id,
            "kind": "oidc",
            "provider_id": str(factories.make_provider(pool).id),
            "application_id": str(factories.make_saml_application(client).id),
        }
        device = operator_sign_in.authenticator(who)
        assert device is not None
        self.who, self.device_id = who, device.persistent_id
        assert self.browser(inside=True).get("/console/pools").status_code == 200
        assert self.browser(inside=True).get("/api/v1/pools").status_code == 200

    def browser(self, *, inside: bool) -> Client:
        """Return a browser, of the operator or of nobody."""
        browser = Client(headers={"host": urllib.parse.urlsplit(settings_of_django.BASE_URL).netloc})
        if inside:
            browser.force_login(self.who)
            session = browser.session
            session[DEVICE_ID_SESSION_KEY] = self.device_id
            session.save()
        return browser

    def path(self, route: str, others: dict[str, str]) -> str:
        """Return a path with known names in its places, or with others."""

        def filled(place: re.Match[str]) -> str:
            given = others.get(place[1])
            return urllib.parse.quote(self.known[place[1]] if given is None else given, safe="", errors="replace")

        return "/" + PLACE.sub(filled, route)


@pytest.fixture
def installation(transactional_db: None) -> Installation:
    """Return everything."""
    configuration.cache.forget_everything()
    return Installation()


OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "pool_id": TEXT | st.just("us-east-1_Unheard00"),
        "client_id": TEXT,
        "sub": TEXT | st.just(str(uuid.UUID(int=7))),
        "key": TEXT | st.sampled_from(["enable", "disable"]),
        "key_id": TEXT | st.just(names.access_key_id()),
        "kind": TEXT | st.sampled_from(["google", "apple"]),
        "provider_id": TEXT | st.just(str(uuid.UUID(int=7))),
        "application_id": TEXT | st.just(str(uuid.UUID(int=7))),
    },
)


@anything
@given(
    route=st.sampled_from(ROUTES),
    method=METHOD,
    others=st.just({}) | OTHERS,
    query=PAIRS,
    pairs=PAIRS,
    body=JSON | st.binary(max_size=100),
    kind=st.sampled_from(["form", "form", "application/json", "application/json", "text/plain", "multipart/form-data"]),
    inside=st.sampled_from([True, True, True, False]),
)
def test_anything_is_answered_and_a_refusal_changes_nothing(
    installation: Installation,
    route: str,
    method: str,
    others: dict[str, str],
    query: list[tuple[str, str]],
    pairs: list[tuple[str, str]],
    body: Any,  # noqa: ANN401 - JSON, or bytes
    kind: str,
    inside: bool,
) -> None:
    browser = installation.browser(inside=inside)
    sent = urllib.parse.urlencode(pairs, errors="replace").encode()
    if kind != "form":
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    before = state("pools", "identity")

    answer = browser.generic(
        method,
        f"{installation.path(route, others)}?{urllib.parse.urlencode(query, errors='replace')}",
        sent,
        content_type="application/x-www-form-urlencoded" if kind == "form" else kind,
    )

    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert state("pools", "identity") == before
        if route.startswith("api/v1") and method != "HEAD":
            assert answer["Content-Type"] == "application/problem+json"
            assert json.loads(answer.content)["status"] == answer.status_code
    if answer.status_code in {302, 303}:
        assert urllib.parse.urlsplit(answer["Location"]).netloc == ""
    if not inside:
        assert answer.status_code != 200 or not route.startswith("api/v1")
        assert state("pools", "identity") == before


def test_a_way_to_sign_in_that_this_installation_has_not_is_refused_where_it_was_chosen(
    installation: Installation, settings: Settings
) -> None:
    settings.SMS_CHANNEL = ""
    browser, before = installation.browser(inside=True), state("pools")
    given = {"name": "Phones", "sign_in": "phone_number", "mfa": "OFF"}

    page = browser.post("/console/pools/new", given)
    told = browser.post("/api/v1/pools", json.dumps(given), content_type="application/json")

    text = "This installation sends no SMS."
    assert page.status_code == 422
    assert f'id="sign_in_error"><span>{text}</span>' in page.content.decode()
    assert (told.status_code, told.json()["errors"]) == (400, [{"field": "sign_in", "message": text, "code": "no_sms"}])
    assert state("pools") == before
