"""Where operators' pages are: at the console's own host, and nowhere inside a pool."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from identity.console.middleware import OperatorSession, for_operators


def asked(path: str, host: str, pool: str | None = None) -> HttpRequest:
    """Return a request as the middleware hands it on."""
    request = RequestFactory().get(path, HTTP_HOST=host)
    request.pool = pool  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize(
    ("host", "status"), [("console.example.com", 200), ("CONSOLE.example.com", 200), ("id.example.com", 404)]
)
@pytest.mark.parametrize("path", ["/console/sign-in", "/api/v1/pools", "/api/docs/", "/dev/mailbox"])
def test_in_production_the_console_answers_at_its_own_host_only(
    settings: Settings, path: str, host: str, status: int
) -> None:
    settings.MODE = "production"
    settings.CONSOLE_URL = "https://console.example.com"
    middleware = OperatorSession(lambda _: HttpResponse())

    assert middleware(asked(path, host)).status_code == status


@pytest.mark.parametrize("path", ["/oauth2/token", "/login", "/", "/health/ready", "/static/console/console.css"])
def test_other_paths_are_left_alone(path: str) -> None:
    answer = HttpResponse()
    middleware = OperatorSession(lambda _: answer)

    assert middleware(asked(path, "id.example.com")) is answer
    assert not answer.headers.keys() - {"Content-Type"}


def test_inside_a_pool_there_are_no_pages_of_operators() -> None:
    assert for_operators(asked("/console/pools", "id.example.com"))
    assert not for_operators(asked("/console/pools", "id.example.com", pool="us-east-1_abc"))
