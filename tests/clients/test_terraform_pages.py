"""The login pages of a pool that Terraform makes, changes, empties and takes away, in a browser at each stage."""

from __future__ import annotations

import base64
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients.test_terraform import HERE, Terraform
from tests.cognito.conftest import PASSWORD
from tests.live import Live
from tests.pressing import submit

CASE, POOL, APP = "whole", "aws_cognito_user_pool.photos", "aws_cognito_user_pool_client.web"
CALLBACK = "https://photos.example.com/callback"
ADA = f"ada-{secrets.token_hex(4)}@example.com"


def stand_in_for_the_app(page: Page) -> None:
    """Answer as the app that people come back to, by Chromium's own word: Playwright's routes take no redirect."""
    session = page.context.new_cdp_session(page)
    shown = {
        "responseCode": 200,
        "responseHeaders": [{"name": "Content-Type", "value": "text/html"}],
        "body": base64.b64encode(b"<h1>Photos</h1>").decode(),
    }

    def answer(paused: dict[str, Any]) -> None:
        session.send("Fetch.fulfillRequest", {"requestId": paused["requestId"], **shown})

    session.on("Fetch.requestPaused", answer)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": f"{CALLBACK}*"}]})


@pytest.mark.interop
@pytest.mark.browser
@pytest.mark.timeout(900)
def test_the_pages_follow_each_apply(live: Live, tmp_path: Path, browser: Browser) -> None:
    terraform = Terraform(tmp_path / "made", CASE, live)
    terraform.apply()
    made = terraform.resources()
    pool = f"{live.base_url}/{made[POOL]['id']}"
    asked = urlencode({"client_id": made[APP]["id"], "redirect_uri": CALLBACK, "response_type": "code"})
    page = browser.new_page()
    stand_in_for_the_app(page)
    heading = page.get_by_role("heading", level=1)

    page.goto(f"{pool}/signup?{asked}")
    submit(page, username=ADA, password=PASSWORD)
    expect(heading).to_have_text("Check your email to continue")
    code = re.search(r"\b\d{6}\b", live.message(ADA)["body"])
    assert code
    submit(page, code=code[0])
    page.get_by_role("link", name="Not now").click()
    expect(heading).to_have_text("Photos")
    assert "code=" in page.url

    terraform.add(HERE / CASE / "change_override.tf")
    terraform.apply()
    page.context.clear_cookies()
    page.goto(f"{pool}/login?{asked}")
    submit(page, username=ADA, password=PASSWORD)
    expect(heading).to_have_text("Protect your account")  # a second factor is required now

    terraform.run("destroy", "-auto-approve", "-no-color", f"-target={APP}")
    answer = page.goto(f"{pool}/login?{asked}")
    assert answer
    assert answer.status == 400
    expect(heading).not_to_have_text("Sign in")

    terraform.run("destroy", "-auto-approve", "-no-color")
    answer = page.goto(f"{pool}/login?{asked}")
    assert answer
    assert answer.status == 404
    page.close()
