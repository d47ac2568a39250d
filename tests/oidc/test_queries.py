"""What the hot endpoints ask of PostgreSQL, counted and named: nothing more may creep in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from identity.foundation.call import Answer, Call
from pools.models import AppClient, UserPool
from pools.oidc import authorize, discovery, resources, token
from pools.services import access, configuration
from pools.services.pools import client_secrets, resource_servers, signing_keys
from pools.services.tokens import sessions
from tests import factories
from tests.oidc.world import CALLBACK

pytestmark = pytest.mark.django_db
OAUTH = {
    "allowed_oauth_flows_user_pool_client": True,
    "allowed_oauth_flows": ["code"],
    "allowed_oauth_scopes": ["openid", "email"],
    "callback_urls": [CALLBACK],
}


@pytest.fixture
def pool() -> UserPool:
    """Return a pool with a resource server."""
    pool = factories.make_pool(
        username_attributes=["email"],
        acr_configuration={"Level1": {"acr_value": "urn:own:1"}},  # so that every token has ``acr``
    )
    scopes = [{"name": "read", "description": "read"}]
    resource_servers.create(pool, identifier="photos", name="p", scopes=scopes, by=factories.BY)
    return access.pool(pool.public_id)


@pytest.fixture
def client(pool: UserPool) -> AppClient:
    """Return a public client with the code grant."""
    return factories.make_client(pool, **OAUTH)


@contextmanager
def counted(client: AppClient) -> Iterator[list[str]]:
    """Collect what is asked, transactions left out, when the process already holds the pool with all of it."""
    found: list[str] = []
    configuration.cache.poll(force=True)
    held = access.client(client.client_id)
    signing_keys.jwks(held.pool)
    configuration.cache.secrets(held)
    configuration.scopes(held.pool)
    configuration.custom_domain(held.pool)
    with CaptureQueriesContext(connection) as captured:
        yield found
    words = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
    found += [each["sql"].split()[0] for each in captured if each["sql"].lstrip().upper().startswith(words)]


def call(endpoint: Callable[[Call], Answer], pool: UserPool, form: dict[str, str], **headers: str) -> dict[str, Any]:
    """Call an endpoint and return what it answers."""
    method = "POST" if form else "GET"
    given = {"content-type": "application/x-www-form-urlencoded", **headers}
    answer = endpoint(Call(method, "/", "", given, urlencode(form).encode(), "127.0.0.1", "id", pool.public_id))
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def issue_code(pool: UserPool, client: AppClient) -> tuple[str, list[str]]:
    """Let a signed-in browser come to authorize; return the code and what was asked for it."""
    user = factories.make_user(pool)
    person = factories.person_of(pool, user.username)
    cookie = sessions.prepare(pool, person, event_id=uuid.uuid4(), methods=["pwd"]).save().cookie
    request = RequestFactory().get(
        "/oauth2/authorize",
        {"client_id": client.client_id, "redirect_uri": CALLBACK, "response_type": "code"},
        headers={"cookie": f"{sessions.cookie_name(pool, False)}={cookie}"},
    )
    request.pool = pool.public_id  # type: ignore[attr-defined]
    with counted(client) as asked:
        answer = authorize.authorize(request)
    return answer["Location"].partition("code=")[2].partition("&")[0], asked


def test_a_code_costs_one_select_and_one_insert(pool: UserPool, client: AppClient) -> None:
    code, asked = issue_code(pool, client)

    assert code
    assert asked == ["SELECT", "INSERT"]


def test_a_redemption_a_refresh_and_user_info_cost_what_they_must(pool: UserPool, client: AppClient) -> None:
    code, _ = issue_code(pool, client)
    redeem = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": client.client_id,
    }

    with counted(client) as redeeming:
        issued = call(token.token, pool, redeem)
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": issued["refresh_token"],
        "client_id": client.client_id,
    }
    with counted(client) as refreshing:
        call(token.token, pool, refresh)
    with counted(client) as reading:
        told = call(resources.user_info, pool, {}, authorization=f"Bearer {issued['access_token']}")

    assert redeeming == ["WITH"]  # one statement reads the code, spends it and makes the family
    assert refreshing == ["SELECT"]
    assert reading == ["SELECT"]
    assert told["username"]


def test_client_credentials_keys_and_discovery_ask_nothing(pool: UserPool) -> None:
    settings = {**OAUTH, "allowed_oauth_flows": ["client_credentials"], "allowed_oauth_scopes": ["photos/read"]}
    machine = factories.make_client(pool, **settings, generate_secret=True)
    form = {
        "grant_type": "client_credentials",
        "client_id": machine.client_id,
        "client_secret": client_secrets.values(machine)[0],
    }

    with counted(machine) as asked:
        call(token.token, pool, form)
        call(discovery.jwks, pool, {})
        call(discovery.discovery, pool, {})

    assert asked == []
