"""Behind a proxy that ends TLS the configured origin decides, whatever the proxy says or forgets of the scheme."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from pools.models import AppClient
from pools.services.pools import pool_domains
from tests import factories
from tests.frame.conftest import BASE, CONSOLE

# As settings are where CONSOLE_URL is https: `tests/run/test_production.py` sees it of a real start.
OPERATORS = {"SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True}
TOKEN = re.compile(r'name="(csrfmiddlewaretoken|form_token)" value="([^"]+)"')
FOREIGN = (
    {"HTTP_ORIGIN": "http://{host}"},
    {"HTTP_ORIGIN": "https://{host}:8443"},
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_REFERER": "http://{host}/page"},
    {"HTTP_REFERER": "https://evil.example/page"},
    {"HTTP_REFERER": "https://{host}.evil.example/"},
)
OWN = ({"HTTP_ORIGIN": "https://{host}"}, {"HTTP_REFERER": "https://{host}/page?x"})
SAYINGS = ("", "http", "https", "https, http")


@pytest.fixture(autouse=True)
def behind_tls(production: None, settings: Settings) -> None:
    """Hear plain http, as the web process of a production installation does behind its proxy."""
    settings.TRUSTED_PROXIES = []
    settings.CSRF_TRUSTED_ORIGINS = [settings.CONSOLE_URL]
    for name, value in OPERATORS.items():
        setattr(settings, name, value)


@pytest.fixture
def app(transactional_db: None) -> AppClient:
    pool = factories.make_pool()
    pool_domains.set_prefix(pool, f"crew{pool.pk}", by=factories.BY)
    return factories.make_client(pool, **factories.PAGES)


def pages(app: AppClient) -> list[tuple[str, str]]:
    """Return host and address of each page with a form that is asked about."""
    asked = {"client_id": app.client_id, "response_type": "code", "redirect_uri": "https://app.example/callback"}
    login = f"/login?{urlencode(asked)}"
    return [
        (BASE, f"/{app.pool.public_id}{login}"),
        (f"{BASE}:443", f"/{app.pool.public_id}{login}"),
        (f"crew{app.pool.pk}.auth.{BASE}", login),
        (CONSOLE, "/console/sign-in"),
        (f"{CONSOLE}:443", "/console/sign-in"),
    ]


def sent(host: str, path: str, headers: dict[str, str], proto: str = "") -> HttpResponse:
    """Open a page and send its form as it is, but for these headers."""
    browser = Client(enforce_csrf_checks=True)
    through = {"HTTP_HOST": host, **({"HTTP_X_FORWARDED_PROTO": proto} if proto else {})}
    page = browser.get(path, **through)  # type: ignore[arg-type]
    found = TOKEN.search(page.content.decode())
    assert found, (page.status_code, page.content[:300])
    assert browser.cookies
    assert all(each["secure"] for each in browser.cookies.values()), browser.cookies
    named = {name: value.format(host=host.removesuffix(":443")) for name, value in headers.items()}
    return browser.post(path, {found[1]: found[2]}, **through, **named)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("number", range(5))
def test_forms_are_taken_from_the_configured_origin_alone(app: AppClient, number: int) -> None:
    host, path = pages(app)[number]

    assert {sent(host, path, headers, proto).status_code for headers in OWN for proto in SAYINGS} <= {200, 422}
    assert {sent(host, path, headers).status_code for headers in FOREIGN} == {403}


def test_a_browsers_cookies_of_a_pool_are_the_hosts_alone_whatever_the_proxy_says(app: AppClient) -> None:
    host, path = pages(app)[0]
    for proto in SAYINGS:
        browser = Client()
        browser.get(path, HTTP_HOST=host, HTTP_X_FORWARDED_PROTO=proto)

        assert browser.cookies
        assert all(name.startswith("__Host-") for name in browser.cookies)


def test_operators_forms_name_their_origin(app: AppClient) -> None:
    """By https a form that says neither Origin nor Referer is refused (Django's CSRF protection)."""
    host, path = pages(app)[3]

    assert sent(host, path, {}).status_code == 403
