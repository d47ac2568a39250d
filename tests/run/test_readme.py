"""What the README shows runs as it is written, twice: the second time everything is there already."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from identity.demo import seed
from tests.architecture.source import ROOT
from tests.browser.conftest import listen
from tests.hosted.world import PASSWORD
from tests.live import Live

README = (ROOT / "README.md").read_text()
APP = "http://localhost:3000"
OIDC_CLIENT = ROOT / "identity" / "static" / "vendor" / "oidc-client-ts" / "oidc-client-ts.min.js"
# An app around the snippet: what a bundler makes of its import, and a page that shows who came.
PAGE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title><h1></h1>
<script src="/oidc-client-ts.min.js"></script>
<script type="importmap">{"imports": {"oidc-client-ts": "/oidc-client-ts.js"}}</script>
<script type="module">
import { signIn } from "/snippet.js";
const user = await signIn("%(issuer)s", "%(client_id)s");
if (user) document.querySelector("h1").textContent = user.profile.email;
</script>"""


def snippet(language: str) -> str:
    """Return the one block of code in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


@pytest.fixture
def kept(live: Live, tmp_path: Path, settings: Settings) -> Iterator[dict[str, Any]]:
    """Return the bootstrap file, as a seed beside the live installation wrote it into ``var``."""
    settings.DATA_DIR = tmp_path / "var"
    settings.DATA_DIR.mkdir()
    with live.orm():
        yield seed.seed(None)


def test_the_first_call_by_boto3_runs_beside_a_bootstrap_file(kept: dict[str, Any], tmp_path: Path) -> None:
    # As a newcomer has it: nothing that boto3 might read instead of what the program says.
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", snippet("python")],
            cwd=tmp_path,
            env={**bare, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert re.search(r"{'Name': 'email', 'Value': 'ada-[0-9a-f]{8}@example\.com'}", done.stdout), done.stdout


@pytest.mark.browser
def test_the_first_sign_in_by_openid_connect_runs_in_a_browser(
    live: Live, kept: dict[str, Any], browser: Browser
) -> None:
    name, idp = "bea@example.com", live.boto()
    idp.admin_create_user(UserPoolId=kept["user_pool_id"], Username=name, MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=kept["user_pool_id"], Username=name, Password=PASSWORD, Permanent=True)
    context, complaints = browser.new_context(), list[str]()

    with served(kept) as where:
        page = context.new_page()
        listen(page, complaints)
        at_its_address(page, where)
        page.goto(APP)
        page.wait_for_url("**/login?*")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        expect(page.locator("h1")).to_have_text(name)
        assert page.url == f"{APP}/"
        # A second tab has no tokens yet, and its person nothing to type.
        again = context.new_page()
        listen(again, complaints)
        at_its_address(again, where)
        again.goto(APP)
        expect(again.locator("h1")).to_have_text(name)
        context.close()

    assert complaints == []


@contextlib.contextmanager
def served(kept: dict[str, Any]) -> Iterator[str]:
    """Be the app, at any port: another program of this machine may hold 3000. Gives where it really is."""
    files = {
        "/snippet.js": ("text/javascript", snippet("js")),
        "/oidc-client-ts.js": ("text/javascript", "export const UserManager = oidc.UserManager;"),
        "/oidc-client-ts.min.js": ("text/javascript", OIDC_CLIENT.read_text()),
    }

    class App(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, text = files.get(self.path.partition("?")[0], ("text/html", PAGE % kept))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()  # after a failure too: a closed socket would keep its thread busy to the end of the run


def at_its_address(page: Page, where: str) -> None:
    """Let a page find the app at port 3000, by Chromium's own word: Playwright's routes take no redirect."""
    session = page.context.new_cdp_session(page)

    def lead(paused: dict[str, Any]) -> None:
        path = paused["request"]["url"].removeprefix(APP)
        session.send("Fetch.continueRequest", {"requestId": paused["requestId"], "url": where + path})

    session.on("Fetch.requestPaused", lead)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": f"{APP}/*"}]})
