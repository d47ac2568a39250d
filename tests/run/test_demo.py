"""The demo as ``make run`` seeds it, with an STS of one's own: asked from outside, by what the bootstrap file says."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import listen
from tests.run.house import PATIENCE, House

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]

STS = "http://localhost:9"
# What an earlier start with an AWS of the demo's left in the file.
EARLIER = {
    "aws_endpoint_url": "http://127.0.0.1:1",
    "aws_enforces": True,
    "dynamodb_endpoint_url": "http://127.0.0.1:2",
    "aws_is_demo": True,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Start what ``make run`` starts, and wait until nobody seeds any more."""
    started = House(tmp_path_factory.mktemp("demo") / "var")
    assert started.environment["STS_ENDPOINT_URL"] == STS
    started.data_dir.mkdir(mode=0o700)
    (started.data_dir / "bootstrap.json").write_text(json.dumps(EARLIER))
    try:
        started.start()
        settle(started)
        yield started
    finally:
        started.stop()


def settle(house: House) -> None:
    """Wait until the addresses are shown and no seed has run for a second."""
    until = monotonic() + PATIENCE
    quiet_since = monotonic()
    while monotonic() < quiet_since + 1:
        assert monotonic() < until, house.said()[-3000:]
        if "Cognate is up" not in house.said() or "seed" in house.leaders():
            quiet_since = monotonic()
        sleep(0.05)


def test_an_aws_of_ones_own_is_not_seeded(house: House) -> None:
    """Nothing is asked for where nobody listens, and the log has nothing to say of it."""
    said = house.said()

    assert "Cognate is up" in said
    assert re.findall(r"^(?:seed|moto|ceph\S*|rgw) .*", said, flags=re.MULTILINE) == []
    assert re.findall(r".*(?:Traceback|Error|cannot be set up).*", said) == []
    assert not (house.data_dir / "aws").exists()


def test_the_addresses_are_those_of_this_start(house: House) -> None:
    kept = house.bootstrap()

    assert {name: kept[name] for name in EARLIER} == {
        "aws_endpoint_url": STS,
        "aws_enforces": False,
        "dynamodb_endpoint_url": "",
        "aws_is_demo": False,
    }
    with urllib.request.urlopen(f"{house.base_url}/demo/config.json") as answer:
        told = json.load(answer)
    assert (told["aws_endpoint_url"], told["aws_is_demo"]) == (STS, False)


@pytest.mark.browser
def test_the_sample_says_whose_rules_decide_and_what_to_do_next(house: House, browser: Browser) -> None:
    page, complaints = browser.new_page(), list[str]()
    listen(page, complaints)
    page.goto(f"{house.base_url}/demo/")

    about = page.get_by_role("region", name="About this installation")
    expect(about).to_contain_text("Credentials come from the STS that this installation is configured with")
    expect(about).to_contain_text(STS)
    expect(about).to_contain_text("Its own rules decide")
    expect(about).to_contain_text("roles and bucket are its administrator's")
    steps = about.get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text(f"{house.base_url}/identity-pools")
    expect(steps.nth(0)).to_contain_text(house.bootstrap()["identity_pool_id"])
    expect(steps.nth(1)).to_contain_text("SetIdentityPoolRoles")
    expect(steps.nth(2)).to_contain_text(house.base_url)
    expect(about).to_contain_text("Or start without STS_ENDPOINT_URL")
    expect(about).not_to_contain_text(re.compile("moto|Ceph"))
    page.close()
    assert complaints == []
