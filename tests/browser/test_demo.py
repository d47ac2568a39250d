"""The sample app over the stand-in that ``make run`` starts where there is no Ceph: it says that nothing is checked."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_addresses import Housed
from tests.browser.test_flows import submit
from tests.hosted.world import PASSWORD
from tests.run.house import PATIENCE, House

pytestmark = [pytest.mark.browser, pytest.mark.run, pytest.mark.timeout(240)]

NAME = "ann@example.org"
# What a start with Ceph left in the file.
EARLIER = {"aws_endpoint_url": "http://127.0.0.1:1", "aws_enforces": True, "aws_is_demo": True}


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Start what ``make run`` starts on a machine without Ceph, and wait until its AWS is seeded."""
    del browser  # without Chromium nothing needs to start
    place = tmp_path_factory.mktemp("stand-in")
    started = House(place / "var", PATH=str(path_without_ceph(place / "bin")))
    del started.environment["STS_ENDPOINT_URL"]
    started.data_dir.mkdir(mode=0o700)
    (started.data_dir / "bootstrap.json").write_text(json.dumps(EARLIER))
    until = monotonic() + 2 * PATIENCE
    try:
        started.start()
        while "the demo's AWS is ready" not in started.said():
            assert monotonic() < until, started.said()[-3000:]
            sleep(0.2)
        yield started
    finally:
        started.stop()


def path_without_ceph(folder: Path) -> Path:
    """Make a PATH of one folder, with the one program that is looked for."""
    folder.mkdir()
    found = shutil.which("redis-server")
    if found:
        (folder / "redis-server").symlink_to(found)
    return folder


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a person's browser."""
    opened = browser.new_context()
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def test_it_says_that_the_stand_in_checks_nothing(house: House, page: Page) -> None:
    page.goto(f"{house.base_url}/demo/")

    about = page.get_by_role("region", name="About this installation")
    expect(about).to_contain_text(f"a stand-in (moto) at {house.bootstrap()['aws_endpoint_url']}")
    expect(about).to_contain_text("checks nothing, neither tokens nor rules")
    expect(about.get_by_role("listitem")).to_have_count(0)


def test_a_guest_gets_an_identity_and_may_list(house: House, page: Page) -> None:
    page.goto(f"{house.base_url}/demo/")
    page.get_by_role("button", name="Look around as a guest").click()

    expect(page.locator("#guest-answer")).to_have_text(
        re.compile(r"^You are guest us-east-1:[0-9a-f-]{36}, with a role of your own that may list the bucket\.$")
    )


def test_who_signs_in_sees_their_tokens_and_that_nothing_was_checked(house: House, page: Page) -> None:
    kept, idp = house.bootstrap(), Housed(house).boto()
    person = {"UserPoolId": kept["user_pool_id"], "Username": NAME}
    idp.admin_create_user(
        **person,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": NAME}, {"Name": "email_verified", "Value": "true"}],
    )
    idp.admin_set_user_password(**person, Password=PASSWORD, Permanent=True)
    page.goto(f"{house.base_url}/demo/")
    page.get_by_role("button", name="Sign in or create an account").click()
    submit(page, username=NAME, password=PASSWORD)

    expect(page.locator("#identity-id")).to_have_text(re.compile(r"^us-east-1:[0-9a-f-]{36}$"))
    expect(page.locator("#id-token")).to_be_hidden()
    page.get_by_text("ID token", exact=True).click()
    shown = json.loads(page.locator("#id-token").inner_text())
    assert (shown["email"], shown["token_use"], shown["iss"]) == (NAME, "id", kept["issuer"])
    page.get_by_text("Access token", exact=True).click()
    shown = json.loads(page.locator("#access-token").inner_text())
    assert (shown["client_id"], shown["token_use"]) == (kept["client_id"], "access")
    page.get_by_role("button", name="Try to write there").click()
    expect(page.locator("#stranger-answer")).to_have_text(
        "It was allowed, because this storage checks nothing. With a real one it is refused."
    )
