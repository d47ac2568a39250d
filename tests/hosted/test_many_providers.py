"""A login page with thirty identity providers costs what one with none costs, but for its bytes; and asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation.actor import Actor
from pools.models import AppClient, UserPool
from pools.services import configuration
from pools.services.providers import identity_providers
from tests import factories, providers
from tests.federation import openid_trip
from tests.federation.emulator import running
from tests.federation.openid_provider import OpenIdProvider
from tests.hosted import in_process
from tests.hosted.world import CALLBACK

MANY = 30
MOST = 60 * 1024
SOCIAL = [kind for kind in providers.DETAILS if kind != "OIDC"]
BY = Actor.system()


@pytest.fixture
def corporation(transactional_db: None) -> Iterator[OpenIdProvider]:
    """Return a provider that counts what it is asked, of which nothing is held."""
    configuration.cache.forget_everything()
    openid_trip.forget()
    found = OpenIdProvider()
    with running(found):
        yield found
    openid_trip.forget()


def names(count: int) -> list[str]:
    """Return the names of so many providers, as long as names may be."""
    social = SOCIAL[:count]
    return [*social, *(f"{'Subsidiary-':->29}{number:03}" for number in range(count - len(social)))]


def make_app(corporation: OpenIdProvider, count: int) -> AppClient:
    """Make a pool with so many providers, each with identifiers, and an app that offers them all."""
    pool = factories.make_pool(username_attributes=["email"], auto_verified_attributes=["email"])
    for name in names(count):
        kind = name if name in SOCIAL else "OIDC"
        details = corporation.details() if kind == "OIDC" else providers.DETAILS[kind]
        known_as = [f"{name[-16:].lower()}.example", f"{name[-16:].lower()}.example.org"]
        identity_providers.create(pool, name, kind=kind, details=details, identifiers=known_as, by=BY)
    return factories.make_client(
        UserPool.objects.get(pk=pool.pk),
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid", "email", "phone", "profile"],
        callback_urls=[CALLBACK],
        supported_identity_providers=["COGNITO", *names(count)],
    )


def shown(app: AppClient) -> tuple[bytes, int, int]:
    """Return the login page as an app's request leads to it, and its statements: with nothing held, and then."""
    asked = {
        "client_id": app.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email phone profile",
        "state": "s" * 128,
        "nonce": "n" * 64,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "ui_locales": "en-GB en",
    }
    url = f"/{app.pool.public_id}/login?{urlencode(asked)}"
    configuration.cache.forget_everything()
    with CaptureQueriesContext(connection) as at_first:
        assert in_process.browser().get(url).status_code == 200
    with CaptureQueriesContext(connection) as then:
        answer = in_process.browser().get(url)
    return answer.content, len(at_first), len(then)


def test_thirty_providers_cost_no_statement_no_call_and_less_than_sixty_kilobytes(corporation: OpenIdProvider) -> None:
    apps = [make_app(corporation, count) for count in (0, 1, MANY)]
    openid_trip.forget()
    corporation.asked.clear()

    none, one, many = (shown(app) for app in apps)

    assert [page.count(b"data-provider=") for page, *_ in (none, one, many)] == [0, 1, MANY]
    assert b"Your work email" in many[0]
    assert len(many[0]) < MOST
    assert none[2] == one[2] == many[2]
    # Where nothing is held, identifiers are read for whichever providers there are.
    assert none[1] + 1 == one[1] == many[1]
    assert corporation.asked == []
