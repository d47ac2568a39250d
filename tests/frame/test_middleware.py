"""Hosts, forwarded headers and origins: only configured names are answered, the console at one of its own."""

from __future__ import annotations

import uuid
from ipaddress import ip_network

import pytest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from identity import middleware
from pools.models import UserPool
from pools.services.pools import pool_domains
from tests import factories
from tests.frame.conftest import BASE, CONSOLE

pytestmark = pytest.mark.usefixtures("production")


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    made = factories.make_pool()
    pool_domains.set_prefix(made, f"crew{made.pk}", by=factories.BY)
    return made


def status(host: str, path: str) -> int:
    return Client().get(path, HTTP_HOST=host).status_code


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        f"{BASE}.evil.example",
        f"{BASE}:444",
        f"evil.{BASE}",
        "localhost",
        "127.0.0.1",
        "a" * 300,
        "x\x00y",
    ],
)
def test_an_unknown_host_is_answered_before_any_view(pool: UserPool, host: str) -> None:
    for path in (
        "/",
        "/console/",
        f"/{pool.public_id}/.well-known/jwks.json",
        "/identity-pools/jwks.json",
        "/static/x",
    ):
        assert status(host, path) == 404


def test_the_console_is_at_its_own_host_alone_and_nothing_else_is_there(pool: UserPool) -> None:
    assert status(CONSOLE, "/console/") in {200, 302}
    assert status(BASE, "/console/") == 404
    assert status(BASE, "/api/v1/pools") == 404
    jwks = f"/{pool.public_id}/.well-known/jwks.json"
    assert status(BASE, jwks) == 200
    assert status(CONSOLE, jwks) == 404
    assert status(CONSOLE, "/") == 404
    assert status(f"crew{pool.pk}.auth.{BASE}", "/.well-known/jwks.json") == 200
    assert status(f"crew{pool.pk}.auth.{BASE}", "/console/") == 404


def test_a_forwarded_host_changes_nothing(pool: UserPool) -> None:
    path = f"/{pool.public_id}/.well-known/openid-configuration"
    usual = Client().get(path, HTTP_HOST=BASE)

    forwarded = {
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PROTO": "http",
        "HTTP_FORWARDED": "host=evil",
    }
    again = Client().get(path, HTTP_HOST=BASE, **forwarded)  # type: ignore[arg-type]

    assert usual.status_code == 200
    assert again.content == usual.content
    assert b"evil" not in again.content
    assert f"https://{BASE}/{pool.public_id}".encode() in usual.content


@pytest.mark.parametrize(
    ("forwarded", "peer", "seen"),
    [
        ("203.0.113.9", "198.51.100.1", "198.51.100.1"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        ("", "10.0.0.1", "10.0.0.1"),
        ("203.0.113.9", "::ffff:10.0.0.1", "203.0.113.9"),
        ("fe80::1%eth0", "10.0.0.1", "fe80::1"),
        # Each form that a proxy writes.
        ("203.0.113.9:5678", "10.0.0.1", "203.0.113.9"),
        ("[2001:db8::1]:443", "10.0.0.1", "2001:db8::1"),
        ("[2001:db8::1]", "10.0.0.1", "2001:db8::1"),
        ("2001:DB8:0::1", "10.0.0.1", "2001:db8::1"),
        ("[fe80::1%25eth0]:443", "10.0.0.1", "fe80::1"),
        ("::ffff:203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:80", "10.0.0.1", "203.0.113.9"),
        ('"203.0.113.9"', "10.0.0.1", "203.0.113.9"),
        ('"[2001:db8::1]:4711"', "10.0.0.1", "2001:db8::1"),
        (" \t203.0.113.9 ", "10.0.0.1", "203.0.113.9"),
        ("192.0.2.66,,203.0.113.9, ,", "10.0.0.1", "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9:1, 10.0.0.2:2, [::ffff:10.0.0.3]:3", "10.0.0.1", "203.0.113.9"),
        # What cannot be read is not believed, nor is anything before it: whoever handed it on is counted.
        *(
            (f"192.0.2.66, {unreadable}{after}", "10.0.0.1", nearest)
            for unreadable in (
                "nonsense",
                "unknown",
                "_hidden",
                "999.1.1.1",
                "1.2.3.4:port",
                "1.2.3.4:",
                "[::1",
                "%",
                '"',
            )
            for after, nearest in (("", "10.0.0.1"), (", 10.0.0.2", "10.0.0.2"), (", 203.0.113.9", "203.0.113.9"))
        ),
        ("203.0.113.9", "", "0.0.0.0"),
        ("203.0.113.9", "/run/web.sock", "0.0.0.0"),
    ],
)
def test_only_trusted_proxies_say_who_the_client_is(
    settings: Settings,
    forwarded: str,
    peer: str,
    seen: str,
) -> None:
    for trusted in ("10.0.0.0/8", "::ffff:10.0.0.0/104"):
        settings.TRUSTED_PROXIES = [ip_network(trusted)]

        request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)

        assert middleware.client_address(request.META) == seen


@pytest.mark.parametrize(
    ("said", "peer", "is_https"),
    [
        ("https", "10.0.0.1", True),
        ("HTTPS", "10.0.0.1", True),
        ("http, https", "10.0.0.1", True),
        ("http,https", "10.0.0.1", True),
        ("https, http", "10.0.0.1", False),
        ("https,", "10.0.0.1", False),
        ("", "10.0.0.1", False),
        ("https", "198.51.100.1", False),
        ("https", "", False),
    ],
)
def test_only_the_nearest_proxy_says_by_which_scheme_a_client_came(
    settings: Settings, said: str, peer: str, is_https: bool
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]

    assert middleware.came_by_https({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": said}) is is_https


@pytest.mark.parametrize(
    ("base", "proto", "kept"),
    [(f"https://{BASE}", "https", True), (f"https://{BASE}", "http", False), (f"http://{BASE}", "https", False)],
)
def test_browsers_are_told_to_stay_with_https_only_where_there_is_nothing_else(
    pool: UserPool, settings: Settings, base: str, proto: str, kept: bool
) -> None:
    settings.BASE_URL = base
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]

    answer = Client().get(
        f"/{pool.public_id}/login", HTTP_HOST=BASE, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_PROTO=proto
    )

    assert ("Strict-Transport-Security" in answer.headers) is kept


@pytest.mark.parametrize(
    ("path", "is_held"),
    [("/account", True), ("/account/mfa", True), ("/account/nothing", True), ("/login", False), ("/accountant", False)],
)
def test_forms_of_the_account_stay_here_and_those_of_a_sign_in_may_end_at_the_app(
    pool: UserPool, path: str, is_held: bool
) -> None:
    for host, prefix in ((BASE, f"/{pool.public_id}"), (f"crew{pool.pk}.auth.{BASE}", "")):
        answer = Client().get(f"{prefix}{path}", HTTP_HOST=host)

        assert ("form-action 'self'" in answer.headers["Content-Security-Policy"]) is is_held
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_page_of_a_pool_may_be_a_window_that_an_app_opened(pool: UserPool) -> None:
    answers = [Client().get(f"/{pool.public_id}{path}", HTTP_HOST=BASE) for path in ("/login", "/account", "/error")]

    assert ["Cross-Origin-Opener-Policy" in answer.headers for answer in answers] == [False] * 3
    console = Client().get("/console/sign-in", HTTP_HOST=CONSOLE)
    assert console.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_every_page_carries_the_security_headers(pool: UserPool) -> None:
    answer = Client().get(f"/{pool.public_id}/login", HTTP_HOST=BASE)

    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_request_id_is_a_random_uuid() -> None:
    made = [middleware.new_request_id() for _ in range(100)]

    assert all(uuid.UUID(each).version == 4 and str(uuid.UUID(each)) == each for each in made)
    assert len(set(made)) == len(made)
