"""One person signs up and keeps photos in S3: by Chromium over all that ``make run`` starts, on moto and on Ceph.

On Ceph, which keeps what it holds, all of it is restarted on the way and both kinds of keys are rotated.
"""

from __future__ import annotations

import json
import re
import struct
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from time import sleep, time_ns
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.accessibility import faults, looks
from tests.browser.test_addresses import InstalledWorld
from tests.hosted.world import PASSWORD as THEIRS
from tests.interop.conftest import client
from tests.pressing import press
from tests.run.installation import Installation
from tests.story.installation import (
    MAIL,
    PASSWORD,
    PATIENCE,
    Authenticator,
    Lane,
    WithAws,
    lasting,
    mailed_code,
    restart,
    wait_for_aws,
)

pytestmark = [pytest.mark.browser, pytest.mark.run, pytest.mark.timeout(420)]

expect.set_options(timeout=PATIENCE * 1000)
MADE_UP = ("AKIAMADEUP", "made up")


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
    press(page.locator("form button[type=submit]").first)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a person's browser, which complains of nothing."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    problems: list[str] = []
    found = context.new_page()
    found.on("pageerror", lambda problem: problems.append(str(problem)))
    found.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    yield found
    context.close()
    assert problems == []


def sign_up(installation: Installation, page: Page, lane: Lane) -> None:
    """Go from the app to the hosted pages and ask for an account; stop where the mailed code is asked for."""
    page.goto(f"{installation.base_url}/demo/")
    expect(page.locator("#about-aws")).to_contain_text(lane.about)
    page.click("#sign-in")
    page.wait_for_url("**/login?*")
    page.get_by_role("link", name="Create an account").click()
    page.wait_for_url("**/signup?*")
    page.fill("#username", MAIL)
    page.fill("#password", PASSWORD)
    submit(page)
    page.wait_for_url("**/confirm?*")


def confirm(installation: Installation, page: Page) -> None:
    """Enter the mailed code, which signs in; stop where a second factor is offered."""
    page.fill("#code", mailed_code(installation))
    submit(page)
    page.wait_for_url("**/login/mfa?*")


def take_up_totp(page: Page) -> Authenticator:
    """Enrol an authenticator and return to the app."""
    page.locator("summary").first.click()
    key = re.search(r"(?:[A-Z2-7]{4}\s?){8}", page.inner_text("main"))
    assert key, page.inner_text("main")
    totp = Authenticator("".join(key[0].split()))
    page.fill("#code", totp.code())
    submit(page)
    page.wait_for_url("**/demo/")
    return totp


def sign_in(page: Page, name: str, password: str, totp: Authenticator | None = None) -> None:
    """Sign in by password, and by authenticator if there is one."""
    page.click("#sign-in")
    page.wait_for_url("**/login?*")
    page.fill("#username", name)
    page.fill("#password", password)
    submit(page)
    if totp:
        page.wait_for_url("**/login/totp?*")
        page.fill("#code", totp.code())
        submit(page)
    page.wait_for_url("**/demo/")


def sign_out(page: Page) -> None:
    page.click("#sign-out")
    page.wait_for_url("**/demo/")
    expect(page.locator("#sign-in")).to_be_visible()


def keep(page: Page, photo: Path, *names: str) -> None:
    """Upload a photo and see it beside the earlier ones, of these names."""
    page.set_input_files("#photo", photo)
    page.click("#upload-button")
    expect(page.locator("#status")).to_have_text(f"{photo.name} is stored.")
    see(page, *names, photo.name)


def see(page: Page, *names: str) -> None:
    """See photos of these names, each of them a picture."""
    expect(page.locator("#photos figcaption")).to_have_text(list(names))
    expect(page.locator("#photos img")).to_have_count(len(names))


def secrets_of(page: Page, totp: Authenticator | None, kept: dict[str, Any]) -> dict[str, str]:
    """Return every secret that the story knows of, by name: none may be in the log."""
    stored = page.evaluate("() => Object.values(sessionStorage)")
    user = next(json.loads(value) for value in stored if '"access_token"' in value)
    cookies = {
        f"cookie {cookie['name']}": cookie["value"] for cookie in page.context.cookies() if len(cookie["value"]) > 20
    }
    return {
        "password": PASSWORD,
        **({"seed": totp.totp.secret} if totp else {}),
        **{name: user[name] for name in ("access_token", "id_token", "refresh_token")},
        **{name: kept[name] for name in kept if name.endswith("secret") or name == "secret_access_key"},
        "operator's password": kept["operator"]["password"],
        "operator's seed": kept["operator"]["totp_secret"],
        **cookies,
    }


def test_a_person_signs_up_keeps_two_photos_and_comes_back_to_both(
    lane: tuple[Lane, WithAws], page: Page, tmp_path: Path
) -> None:
    aws, installation = lane
    first, totp = wait_for_aws(installation), None

    sign_up(installation, page, aws)
    if aws.lasts:
        assert lasting(restart(installation)) == lasting(first)
    confirm(installation, page)
    if aws.lasts:
        totp = take_up_totp(page)
    else:
        page.get_by_role("link", name="Not now").click()
    expect(page.locator("#identity-id")).to_contain_text("us-east-1:")
    identity_id = page.inner_text("#identity-id")

    if aws.lasts:
        # What was signed before a rotation still counts after it, and Ceph takes the new key at once.
        installation.manage("rotate_keys", first["user_pool_id"], "--identity-pools")
        sleep(4)
        page.reload()
        expect(page.locator("#identity-id")).to_have_text(identity_id)
    expect(page.locator("#empty")).to_be_visible()
    keep(page, picture(tmp_path / "Ada 100% + ü.png"))

    sign_out(page)
    if aws.lasts:
        restart(installation)
        page.reload()
    sign_in(page, MAIL, PASSWORD, totp)
    expect(page.locator("#identity-id")).to_have_text(identity_id)
    see(page, "Ada 100% + ü.png")
    keep(page, picture(tmp_path / "b.png"), "Ada 100% + ü.png")

    sign_out(page)
    sign_in(page, MAIL, PASSWORD, totp)
    see(page, "Ada 100% + ü.png", "b.png")
    expect(page.locator("#stranger-about")).to_contain_text(aws.rules)
    page.click("#try-stranger")
    expect(page.locator("#stranger-answer")).to_have_text(aws.stranger)
    said = installation.said()
    assert len(said) > 1000
    assert [name for name, secret in secrets_of(page, totp, first).items() if secret in said] == []


def test_the_bootstrap_file_is_what_the_contract_says(lane: tuple[Lane, WithAws]) -> None:
    aws, installation = lane
    kept = wait_for_aws(installation)

    assert kept.keys() >= {
        *("base_url", "tls_base_url", "ca_file", "console_url", "region", "account_id", "operator"),
        *("access_key_id", "secret_access_key", "user_pool_id", "issuer", "hosted_login_url", "domain", "tls_domain"),
        *("client_id", "confidential_client_id", "confidential_client_secret"),
        *("machine_client_id", "machine_client_secret", "identity_pool_id", "mailbox_url", "aws_endpoint_url"),
        *("aws_enforces", "aws_is_demo", "dynamodb_endpoint_url", "bucket", "table"),
    }
    assert kept["operator"].keys() == {"username", "password", "totp_secret"}
    assert (kept["aws_enforces"], kept["aws_is_demo"]) == (aws.lasts, True)
    assert (installation.data_dir / "bootstrap.json").stat().st_mode & 0o777 == 0o600
    for url in (kept["hosted_login_url"], kept["mailbox_url"], kept["console_url"]):
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200


@pytest.fixture
def bob(stand_in: WithAws, page: Page) -> str:
    """Sign somebody else in over moto; return the prefix of the own photos."""
    kept, idp, name = stand_in.bootstrap(), InstalledWorld(stand_in).boto(), f"bob-{time_ns()}@example.org"
    person = {"UserPoolId": kept["user_pool_id"], "Username": name}
    verified = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
    idp.admin_create_user(**person, MessageAction="SUPPRESS", UserAttributes=verified)
    idp.admin_set_user_password(**person, Password=THEIRS, Permanent=True)
    page.goto(f"{stand_in.base_url}/demo/")
    sign_in(page, name, THEIRS)
    expect(page.locator("#empty")).to_be_visible()
    return f"{page.inner_text('#identity-id')}/"


def test_a_guest_gets_an_identity_and_may_list(stand_in: WithAws, page: Page) -> None:
    page.goto(f"{stand_in.base_url}/demo/")
    page.get_by_role("button", name="Look around as a guest").click()

    expect(page.locator("#guest-answer")).to_have_text(
        re.compile(r"^You are guest us-east-1:[0-9a-f-]{36}, with a role of your own that may list the bucket\.$")
    )


def test_who_signs_in_sees_their_tokens(stand_in: WithAws, page: Page, bob: str) -> None:
    kept = stand_in.bootstrap()
    assert re.fullmatch(r"us-east-1:[0-9a-f-]{36}/", bob)
    expect(page.locator("#id-token")).to_be_hidden()
    page.get_by_text("ID token", exact=True).click()
    shown = json.loads(page.locator("#id-token").inner_text())
    assert (shown["email"][:4], shown["token_use"], shown["iss"]) == ("bob-", "id", kept["issuer"])
    page.get_by_text("Access token", exact=True).click()
    shown = json.loads(page.locator("#access-token").inner_text())
    assert (shown["client_id"], shown["token_use"]) == (kept["client_id"], "access")


def test_a_photo_that_cannot_be_shown_hides_no_other(stand_in: WithAws, page: Page, bob: str, tmp_path: Path) -> None:
    kept = stand_in.bootstrap()
    s3, good = client("s3", kept["aws_endpoint_url"], MADE_UP), picture(tmp_path / "good.png").read_bytes()
    names = ("1-cut off.png", "2-gone.png", "3-good.png", "4-\x01 %.png", "5-no picture.heic")
    for name in names:
        s3.put_object(Bucket=kept["bucket"], Key=bob + name, Body=good if name[-4:] == ".png" else b"something else")
    away = [True]

    def gone(route: Route) -> None:
        s3.delete_object(Bucket=kept["bucket"], Key=f"{bob}2-gone.png")
        route.continue_()

    page.route("**/2-gone.png", gone)
    page.route("**/1-cut*", lambda route: route.abort() if away else route.continue_())
    page.reload()

    expect(page.locator("#photos figcaption")).to_have_text([name[2:] for name in names])
    expect(page.locator("#photos img")).to_have_count(2)
    places = page.locator("#photos li")
    expect(places.nth(0)).to_contain_text("This photo cannot be shown. The storage does not answer.")
    expect(places.nth(1)).to_contain_text("It is not in the storage any more.")
    expect(places.nth(4)).to_contain_text("it is no picture that this browser can show")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the file no picture.heic").click()
    assert saved.value.path().read_bytes() == b"something else"
    assert {look: faults(page) for look in looks(page) if faults(page)} == {}

    away.clear()
    page.get_by_role("button", name="Try again to show cut off.png").click()
    expect(page.locator("#photos img")).to_have_count(3)
    expect(page.locator("#problem")).to_be_hidden()


def test_an_upload_shows_how_it_goes_fails_in_words_and_is_made_once(
    stand_in: WithAws, page: Page, bob: str, tmp_path: Path
) -> None:
    kept = stand_in.bootstrap()
    s3 = client("s3", kept["aws_endpoint_url"], MADE_UP)
    refusals = {
        "AccessDenied": "do not allow it",
        "InvalidAccessKeyId": "Reload the page for new ones",
        "EntityTooLarge": "larger than the storage takes",
        "NoSuchBucket": "The bucket is not there",
        "SomethingElse": "The storage refused it (SomethingElse)",
    }
    held: list[Route] = []
    page.set_input_files("#photo", picture(tmp_path / "ada.png"))
    page.route("**/*-ada.png", lambda route: route.abort())
    page.click("#upload-button")
    expect(page.locator("#status")).to_contain_text("ada.png was not stored. The storage does not answer.")
    for code, words in refusals.items():
        said = f"<Error><Code>{code}</Code></Error>"
        readable = {"Access-Control-Allow-Origin": "*"}
        page.unroute("**/*-ada.png")
        page.route("**/*-ada.png", lambda route: route.fulfill(status=403, body=said, headers=readable))  # noqa: B023
        page.click("#upload-button")
        expect(page.locator("#status")).to_contain_text(words)
    expect(page.locator("#progress")).to_be_hidden()

    page.unroute("**/*-ada.png")
    page.route("**/*-ada.png", lambda route: held.append(route) if route.request.method == "PUT" else route.continue_())
    page.dblclick("#upload-button")
    page.locator("#upload-button").press("Enter")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#status")).to_have_text("Uploading ada.png…")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#status")).to_have_text("ada.png is stored.")
    expect(page.locator("#progress")).to_be_hidden()

    see(page, "ada.png")
    assert len(held) == 1
    assert s3.list_objects_v2(Bucket=kept["bucket"], Prefix=bob)["KeyCount"] == 1
