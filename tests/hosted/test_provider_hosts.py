"""Sign-ins by a provider that begin at a pool's own host: the provider knows one address of the pool's, another one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode, urljoin

import pytest
import requests

from tests.federation.emulator import brought_back
from tests.hosted.upstream import OVER, accounts, openid
from tests.hosted.world import World
from tests.live import Live

CORP = "Corp"


@pytest.fixture(scope="module")
def world(live: Live) -> Iterator[World]:
    """Return a pool that has a host of its own, with an app that sends people to a provider."""
    found = World(live)
    found.idp.create_user_pool_domain(UserPoolId=found.pool_id, Domain=word(found))
    with openid(found, CORP) as (_, found.client_id):
        yield found


def word(world: World) -> str:
    """Return how the pool's host begins."""
    return f"corp-{world.pool_id.rpartition('_')[2].lower()}"


class Browser:
    """A browser at a pool's host, which sends the cookies that it has from there nowhere else."""

    def __init__(self, world: World) -> None:
        """Have no cookies."""
        self.here = f"127.0.0.1:{world.live.port}"
        self.host = f"{word(world)}.auth.localhost:{world.live.port}"
        self.base = f"http://{self.host}"
        self.cookies: dict[str, str] = {}

    def get(self, url: str) -> requests.Response:
        """Ask for a page."""
        is_there = url.startswith(self.base)
        answered = requests.get(
            url.replace(self.host, self.here),
            headers={"Host": self.host} if is_there else {},
            cookies=self.cookies if is_there else {},
            allow_redirects=False,
            timeout=30,
        )
        if is_there:
            self.cookies |= {each.name: each.value or "" for each in answered.cookies}
        answered.headers["Location"] = urljoin(url, answered.headers.get("Location", ""))
        return answered


def answered(world: World, browser: Browser) -> str:
    """Have somebody begin at the host and agree at the provider; return the address to which that sends them."""
    query = world.url(identity_provider=CORP).partition("?")[2]
    sent = browser.get(f"{browser.base}/login/provider?{query}")
    place, answer = brought_back(sent.headers["Location"])
    assert place == f"{world.base}/oauth2/idpresponse"
    return f"{place}?{urlencode(answer)}"


def test_who_begins_at_a_pools_own_host_is_signed_in_there(world: World) -> None:
    browser, before = Browser(world), accounts(world)

    led = browser.get(answered(world, browser))
    assert (led.status_code, led.headers["Location"].partition("?")[0]) == (303, f"{browser.base}/oauth2/idpresponse")
    joins = browser.get(led.headers["Location"])
    assert joins.headers["Location"].startswith(f"{browser.base}/login/join?"), joins.text
    done = browser.get(joins.headers["Location"])

    assert done.status_code == 303, done.text
    assert browser.cookies[f"cg-{world.pool_id.rpartition('_')[2]}"]
    assert len(accounts(world)) == len(before) + 2


def test_another_browser_at_that_host_has_nothing_of_it(world: World) -> None:
    browser, stranger, before = Browser(world), Browser(world), accounts(world)

    led = stranger.get(answered(world, browser))
    refused = stranger.get(led.headers["Location"])

    assert (refused.status_code, OVER in refused.text) == (400, True)
    assert accounts(world) == before
    assert browser.get(led.headers["Location"]).headers["Location"].startswith(f"{browser.base}/login/join?")
