"""A browser that reports whatever a page complains about, and an app on another origin to come back to."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page

from tests.hosted.world import World
from tests.live import Live

# Playwright runs an event loop in this thread; Django then takes set-up through the ORM for a mistake.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (seen) => {
  console.error("CSP", seen.violatedDirective, seen.blockedURI);
});
"""
# Chromium reports a page's own status as if it were a failed resource; tests look at statuses themselves.
EXPECTED = "Failed to load resource: the server responded with a status of 4"


class App(BaseHTTPRequestHandler):
    """The app: says that somebody came back."""

    def do_GET(self) -> None:
        """Answer anything."""
        body = b"<!doctype html><html lang=en><link rel=icon href=data:,><title>App</title><h1>Welcome back</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """Return the callback address of a running app."""
    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/callback"
        server.shutdown()


@pytest.fixture(scope="session")
def pool(live: Live, app_url: str) -> World:
    """Return a pool whose people sign in by e-mail address, a second factor optional."""
    return World(live, callback=app_url)


@pytest.fixture(scope="session")
def strict(live: Live, app_url: str) -> World:
    """Return a pool that requires a second factor."""
    return World(live, mfa="ON", callback=app_url)


@pytest.fixture(scope="session")
def texting(live: Live, app_url: str) -> World:
    """Return a pool whose people may have an authenticator, codes by text message, or both."""
    return World(live, by_sms=True, callback=app_url)


@pytest.fixture(scope="session")
def strict_texting(live: Live, app_url: str) -> World:
    """Return a pool that requires either."""
    return World(live, mfa="ON", by_sms=True, callback=app_url)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Return a page. A test fails in whose pages a script failed, or the content security policy stopped something."""
    found, complaints = context.new_page(), list[str]()
    listen(found, complaints)
    yield found
    assert complaints == []


def listen(page: Page, complaints: list[str]) -> None:
    """Collect what a page complains about."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    def fail(problem: Error) -> None:
        complaints.append(str(problem))

    page.on("console", hear)
    page.on("pageerror", fail)
    page.add_init_script(TELL_VIOLATIONS)


@pytest.fixture(scope="session")
def base_url(live: Live) -> str:
    """Return the installation's address. (In place of pytest-base-url's own, which pytest 9 warns of.)"""
    return live.base_url
