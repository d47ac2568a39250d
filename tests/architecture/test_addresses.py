"""Every address: unknown pools and hosts lead nowhere, garbage is answered without a fault and without internals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests import factories

INTERNALS = re.compile(rb"Traceback|psycopg|django\.|site-packages|pools/services|DETAIL:|SELECT |<module>")
GARBAGE = {
    "username": "\x00\ufffd'\"<script>",
    "code": "x" * 5000,
    "client_id": "../..",
    "redirect_uri": "javascript:1",
}


def paths(urlconf: str) -> Iterator[str]:
    """Yield a path for each pattern, with something in each place."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for pattern in patterns:
            here = before + re.sub(r"<(?:\w+:)?\w+>", "garbage", str(pattern.pattern)).lstrip("^").rstrip("$")
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, here)
            else:
                yield "/" + here

    yield from walk(get_resolver(urlconf).url_patterns, "")


POOL = sorted(set(paths(settings.POOL_URLCONF)))
INSTALLATION = sorted(set(paths(settings.ROOT_URLCONF)))
METHODS = ("get", "post", "put", "delete", "options")


@pytest.fixture
def visitor() -> Client:
    """Return a browser that shows faults as answers."""
    return Client(raise_request_exception=False, headers={"host": settings.BASE_URL.split("://")[1]})


def body(answer: Any) -> bytes:  # noqa: ANN401 - what the test client gives
    """Return the whole body."""
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


@pytest.mark.django_db
def test_no_address_of_an_unknown_pool_answers(visitor: Client) -> None:
    pool = factories.make_pool()

    known = {path: visitor.get(f"/{pool.public_id}{path}").status_code for path in POOL}
    unknown = {path: visitor.get(f"/{settings.REGION}_Unknown00{path}").status_code for path in POOL}

    assert len(POOL) > 15
    assert {path: status for path, status in known.items() if status >= 500} == {}
    assert {path: status for path, status in unknown.items() if not 400 <= status < 500} == {}


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("where", ["pool", "installation"])
def test_garbage_is_refused_in_words(where: str, method: str, visitor: Client) -> None:
    prefix = f"/{factories.make_pool().public_id}" if where == "pool" else ""
    query = "&".join(f"{name}=%00" for name in GARBAGE) if where == "pool" else ""
    faults = {}

    for path in POOL if where == "pool" else INSTALLATION:
        answer = getattr(visitor, method)(f"{prefix}{path}?{query}", GARBAGE)
        leaked = INTERNALS.search(body(answer))
        if answer.status_code >= 500 or leaked:
            faults[path] = (answer.status_code, leaked and leaked[0])

    assert faults == {}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/console/", "/login", "/oauth2/token", "/api/v1/"])
def test_an_unknown_host_leads_nowhere(path: str) -> None:
    answer = Client(headers={"host": "attacker.example"}).get(path)

    assert answer.status_code == 404
    assert answer.content == b""
