"""One stranger signed up, one photo in S3: by Chromium over everything that ``make run`` starts, against Ceph.

Between sign-up and upload all of it is restarted and both kinds of keys are rotated.
"""

from __future__ import annotations

import json
import re
import struct
import urllib.parse
import urllib.request
import zlib
from pathlib import Path
from time import sleep
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.run.house import House
from tests.story.house import MAIL, PASSWORD, PATIENCE, WithAws, fresh_code, lasting, mailed_code, restart, wait_for_aws

pytestmark = [pytest.mark.interop, pytest.mark.browser, pytest.mark.run, pytest.mark.timeout(420)]

expect.set_options(timeout=PATIENCE * 1000)


def picture(path: Path) -> Path:
    """Write a small PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes((x * 4, 120, y * 4)[c] for x in range(64) for c in range(3)) for y in range(64))
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def submit(page: Page) -> None:
    page.locator("form button[type=submit]").first.click()


def sign_up(house: House, page: Page) -> None:
    """Go from the app to the hosted pages and ask for an account; stop where the mailed code is asked for."""
    page.goto(f"{house.base_url}/demo/")
    expect(page.locator("#about-aws")).to_contain_text("Ceph")
    page.click("#sign-in")
    page.wait_for_url("**/login?*")
    page.get_by_role("link", name="Create an account").click()
    page.wait_for_url("**/signup?*")
    page.fill("#username", MAIL)
    page.fill("#password", PASSWORD)
    submit(page)
    page.wait_for_url("**/confirm?*")


def confirm(house: House, page: Page) -> None:
    """Enter the mailed code and sign in; stop where a second factor is offered."""
    page.fill("#code", mailed_code(house))
    submit(page)
    page.wait_for_url("**/login?*")
    page.fill("#password", PASSWORD)
    submit(page)
    page.wait_for_url("**/login/mfa?*")


def take_up_totp(page: Page) -> tuple[pyotp.TOTP, str]:
    """Enrol an authenticator and return to the app; return the authenticator and the code it spent."""
    page.locator("summary").first.click()
    key = re.search(r"(?:[A-Z2-7]{4}\s?){8}", page.inner_text("main"))
    assert key, page.inner_text("main")
    totp = pyotp.TOTP("".join(key[0].split()))
    spent = totp.now()
    page.fill("#code", spent)
    submit(page)
    page.wait_for_url("**/demo/")
    return totp, spent


def sign_in(page: Page, totp: pyotp.TOTP, spent: str) -> None:
    """Sign in by password and authenticator."""
    page.click("#sign-in")
    page.wait_for_url("**/login?*")
    page.fill("#username", MAIL)
    page.fill("#password", PASSWORD)
    submit(page)
    page.wait_for_url("**/login/totp?*")
    page.fill("#code", fresh_code(totp, spent))
    submit(page)
    page.wait_for_url("**/demo/")


def keep_a_photo(page: Page, photo: Path) -> None:
    """Upload a photo, see it listed, and be refused in a stranger's folder."""
    expect(page.locator("#empty")).to_be_visible()
    page.set_input_files("#photo", photo)
    page.click("#upload button")
    expect(page.locator("#status")).to_have_text(f"{photo.name} is stored.")
    expect(page.locator("#photos img")).to_have_count(1)
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert before is not None
    page.set_viewport_size(before)
    page.click("#try-stranger")
    expect(page.locator("#stranger-answer")).to_contain_text("Refused by the storage (AccessDenied)")


def secrets_of(page: Page, totp: pyotp.TOTP, kept: dict[str, Any]) -> dict[str, str]:
    """Return every secret that the story knows of, by name: none may be in the log."""
    stored = page.evaluate("() => Object.values(sessionStorage)")
    user = next(json.loads(value) for value in stored if '"access_token"' in value)
    cookies = {
        f"cookie {cookie['name']}": cookie["value"] for cookie in page.context.cookies() if len(cookie["value"]) > 20
    }
    return {
        "password": PASSWORD,
        "seed": totp.secret,
        **{name: user[name] for name in ("access_token", "id_token", "refresh_token")},
        **{name: kept[name] for name in kept if name.endswith("secret") or name == "secret_access_key"},
        "operator's password": kept["operator"]["password"],
        "operator's seed": kept["operator"]["totp_secret"],
        **cookies,
    }


def test_a_stranger_signs_up_and_keeps_a_photo_in_s3(house: WithAws, browser: Browser, tmp_path: Path) -> None:
    first = wait_for_aws(house)
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)

    sign_up(house, page)
    assert lasting(restart(house)) == lasting(first)
    confirm(house, page)
    totp, spent = take_up_totp(page)
    expect(page.locator("#identity-id")).to_contain_text("us-east-1:")
    identity_id = page.inner_text("#identity-id")

    # What was signed before a rotation still counts after it, and Ceph takes the new key at once.
    house.manage("rotate_keys", first["user_pool_id"], "--identity-pools")
    sleep(4)
    page.reload()
    expect(page.locator("#identity-id")).to_have_text(identity_id)
    keep_a_photo(page, picture(tmp_path / "ada.png"))

    page.click("#sign-out")
    page.wait_for_url("**/demo/")
    expect(page.locator("#sign-in")).to_be_visible()
    restart(house)
    page.reload()
    sign_in(page, totp, spent)
    expect(page.locator("#identity-id")).to_have_text(identity_id)
    expect(page.locator("#photos figcaption")).to_have_text("ada.png")
    assert problems == []
    said = house.said()
    assert len(said) > 1000
    assert [name for name, secret in secrets_of(page, totp, first).items() if secret in said] == []


def test_the_bootstrap_file_is_what_the_contract_says(house: WithAws) -> None:
    kept = wait_for_aws(house)

    assert kept.keys() >= {
        *("base_url", "tls_base_url", "ca_file", "console_url", "region", "account_id", "operator"),
        *("access_key_id", "secret_access_key", "user_pool_id", "issuer", "hosted_login_url", "domain", "tls_domain"),
        *("client_id", "confidential_client_id", "confidential_client_secret"),
        *("machine_client_id", "machine_client_secret", "identity_pool_id", "mailbox_url", "aws_endpoint_url"),
        *("aws_enforces", "dynamodb_endpoint_url", "bucket", "table"),
    }
    assert kept["operator"].keys() == {"username", "password", "totp_secret"}
    assert kept["aws_enforces"] is True
    assert (house.data_dir / "bootstrap.json").stat().st_mode & 0o777 == 0o600
    for url in (kept["hosted_login_url"], kept["mailbox_url"], kept["console_url"]):
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200
