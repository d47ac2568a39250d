"""Identity providers that fail, and answers that are late, repeated or somebody else's, as browsers meet them.

Whatever happens there stops that one sign-in, in time, on a page with a way on, with an entry in the audit log.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
import requests

from tests.federation.emulator import Answerer, Asked, Reply, replied, told
from tests.federation.openid_provider import OpenIdProvider
from tests.hosted.upstream import OVER, Sent, accounts, heading, openid, refusals
from tests.hosted.world import PASSWORD, Page, Visitor, World
from tests.live import Live

AWAY, UNCHECKED = "The other side does not answer", "That sign-in could not be checked"
IN_TIME = 7.0
"""Seconds after which whoever waits for a provider has an answer: five, and what a busy machine adds."""


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return a pool in which somebody has the address that the provider tells of everybody."""
    found = World(live, mfa="OFF")
    address = [{"Name": "email", "Value": "ada@me.example"}, {"Name": "email_verified", "Value": "true"}]
    found.idp.admin_create_user(
        UserPoolId=found.pool_id, Username="ada@me.example", MessageAction="SUPPRESS", UserAttributes=address
    )
    found.idp.admin_set_user_password(
        UserPoolId=found.pool_id, Username="ada@me.example", Password=PASSWORD, Permanent=True
    )
    return found


@pytest.fixture
def name() -> str:
    """Return a name that no provider has yet."""
    return f"P{uuid.uuid4().hex[:12]}"


@pytest.fixture
def upstream(world: World, name: str) -> Iterator[tuple[OpenIdProvider, str]]:
    """Return a provider of that name, and an app whose people come by it."""
    with openid(world, name) as found:
        found[0].person["email_verified"] = True
        yield found


def expect_refusal(page: Page, world: World, status: int, title: str) -> None:
    """See a plain page with a way on, which says nothing of the inside."""
    assert (page.status, heading(page)) == (status, title)
    assert page.link("Start again").startswith(f"{world.base}/login?")
    assert "127.0.0.1" not in page.text
    assert "answers" not in page.text


ELSEWHERE = replied(Reply(302, headers={"location": "http://127.0.0.1:9/elsewhere"}))
BROKEN = replied(Reply(500, b"boom"))
HUGE = replied(Reply(200, b" " * (2 << 20), {"content-type": "application/json"}))
NONSENSE = replied(Reply(200, b'{"keys": [', {"content-type": "application/json"}))
NO_OBJECT = replied(told([["access_token", "x"]]))
PLACES = ("/token", "/me", "/keys")
FAULTS: list[tuple[str, Answerer, str]] = [
    ("/token", BROKEN, "token endpoint: answers 500"),
    ("/token", ELSEWHERE, "token endpoint: answers 302: no JSON object"),
    ("/token", HUGE, "more than 1048576 bytes from {url}"),
    ("/token", NONSENSE, "token endpoint: answers 200: no JSON object"),
    ("/token", NO_OBJECT, "token endpoint: answers 200: no JSON object"),
    ("/me", BROKEN, "userinfo: answers 500"),
    ("/me", ELSEWHERE, "userinfo: answers 302"),
    ("/me", HUGE, "more than 1048576 bytes from {url}"),
    ("/me", NONSENSE, "userinfo: no JSON object"),
    ("/me", NO_OBJECT, "userinfo: no JSON object"),
    ("/keys", BROKEN, "{url}/keys answers 500"),
    ("/keys", ELSEWHERE, "{url}/keys answers 302"),
    ("/keys", HUGE, "more than 1048576 bytes from {url}"),
    ("/keys", NONSENSE, "{url}/keys: no JSON object"),
    ("/keys", replied(told({"keys": "none"})), "{url}/keys has no keys"),
]


@pytest.mark.parametrize(
    ("place", "answerer", "check"), FAULTS, ids=[f"{n}{place}" for n, (place, *_) in enumerate(FAULTS)]
)
def test_a_provider_that_is_out_of_order_stops_one_sign_in(
    world: World, name: str, upstream: tuple[OpenIdProvider, str], place: str, answerer: Answerer, check: str
) -> None:
    provider, app = upstream
    sent, before = Sent(world, app, name), accounts(world)
    provider.instead[place] = answerer

    page = sent.back()

    expect_refusal(page, world, 503, AWAY)
    assert accounts(world) == before
    assert refusals(world, name) == [{"check": check.format(url=provider.url), "said": ""}]
    assert provider.count("/elsewhere") == 0
    # What the provider does is its own affair: whoever comes after it is well again is let in by it.
    del provider.instead[place]
    if place != "/keys":
        assert Sent(world, app, name).back().path.startswith("/login/join")


@pytest.mark.parametrize(
    "keys",
    [[], ["x", 7, None], [{"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}], [{"kty": "RSA", "kid": "k1", "n": "AQAB"}]],
    ids=["none", "no objects", "a secret", "half a key"],
)
def test_keys_that_are_none_vouch_for_nobody(
    world: World, name: str, upstream: tuple[OpenIdProvider, str], keys: list[Any]
) -> None:
    provider, app = upstream
    sent, before = Sent(world, app, name), accounts(world)
    provider.published = keys

    page = sent.back()

    expect_refusal(page, world, 400, UNCHECKED)
    assert accounts(world) == before
    assert refusals(world, name) == [{"check": "id token: no key of its kid for its alg", "said": ""}]


def test_providers_that_hang_keep_nobody_waiting_but_who_comes_by_them(world: World) -> None:
    """At each endpoint, and a little at each of them: all at once, while somebody else signs in by a password."""
    awake, waited = threading.Event(), dict[str, float]()
    pages, before, person = dict[str, Page](), accounts(world), world.person()

    def hanging(seconds: float, provider: OpenIdProvider, place: str) -> Answerer:
        usual = next(answer for route, answer in provider.routes().items() if route.endswith(f" {place}"))

        def answer(asked: Asked) -> Reply:
            awake.wait(seconds)
            return usual(asked)

        return answer

    def come_back(name: str, sent: Sent) -> None:
        began = monotonic()
        pages[name] = sent.back()
        waited[name] = monotonic() - began

    with ExitStack() as until_the_end:
        threads = []
        for number, places in enumerate((["/token"], ["/me"], ["/keys"], PLACES)):
            name = f"Hang{number}-{uuid.uuid4().hex[:8]}"
            provider, app = until_the_end.enter_context(openid(world, name))
            sent = Sent(world, app, name)
            for place in places:
                provider.instead[place] = hanging(20 if len(places) == 1 else 2.2, provider, place)
            threads.append(threading.Thread(target=come_back, args=(name, sent)))
        for thread in threads:
            thread.start()

        assert world.visitor().sign_in(person).code
        at_that_time = dict(waited)  # the last takes five seconds
        for thread in threads:
            thread.join()
        awake.set()

    assert len(at_that_time) < len(threads)
    assert len(pages) == len(threads)
    for name, page in pages.items():
        expect_refusal(page, world, 503, AWAY)
        assert waited[name] < IN_TIME
        [entry] = refusals(world, name)
        assert "127.0.0.1" in entry["check"]
    assert [row for row in accounts(world) if row not in before and row[1] == "EXTERNAL_PROVIDER"] == []


# -- answers that are late, repeated, or of somebody else ------------------------------------------------------------


def test_an_answer_in_two_tabs_at_once_is_taken_once(
    world: World, name: str, upstream: tuple[OpenIdProvider, str]
) -> None:
    provider, app = upstream
    provider.person["email"] = f"{name}@id.example"
    sent = Sent(world, app, name)
    answers = at_once(lambda: requests.get(sent.url(), cookies=sent.visitor.session.cookies, allow_redirects=False))

    [taken] = [each for each in answers if each.status_code == 303]
    late = [Page(each) for each in answers if each is not taken]
    assert provider.count("/token") == 1
    for page in late:
        expect_refusal(page, world, 400, OVER)
    assert sent.visitor.open(requests.compat.urljoin(sent.place, taken.headers["Location"])).code
    # Who goes on in a late tab finds out that they are signed in.
    assert "Continue as" in sent.visitor.open(late[0].link("Start again")).text


def at_once(ask: Callable[[], requests.Response], times: int = 4) -> list[requests.Response]:
    """Ask several times at once."""
    found: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: found.append(ask())) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == times
    return found


def test_two_tabs_may_each_be_on_a_trip(world: World, name: str, upstream: tuple[OpenIdProvider, str]) -> None:
    provider, app = upstream
    provider.person["email"] = f"{name}@id.example"
    visitor = world.visitor()
    first, second = Sent(world, app, name, visitor), Sent(world, app, name, visitor)

    assert second.back().code
    assert first.back().code


def test_another_browser_is_told_nothing_of_what_somebody_came_for(
    world: World, name: str, upstream: tuple[OpenIdProvider, str]
) -> None:
    provider, app = upstream
    sent = Sent(world, app, name)

    page = world.visitor().open(sent.url())

    assert (page.status, heading(page)) == (400, OVER)
    assert "Start again" not in page.read.links
    assert app not in page.text
    assert provider.count("/token") == 0
    assert sent.back().path.startswith("/login/join")


def move(world: World, kind: str, visitor: Visitor, by: timedelta) -> None:
    """Have what a browser began, and is kept of this kind, be older."""
    from identity.foundation import sealing
    from pools.models import Interaction

    with world.rows() as pool:
        mine = sealing.keyed_hash("interaction", visitor.cookie("-trip") or "")
        rows = Interaction.objects.filter(pool_id=pool.pk, kind=kind, browser=mine)
        for row in rows:
            row.expires_at -= by
            row.save()
        assert rows


def test_an_answer_after_an_hour_is_too_late(world: World, name: str, upstream: tuple[OpenIdProvider, str]) -> None:
    provider, app = upstream
    sent, before = Sent(world, app, name), accounts(world)
    move(world, "trip", sent.visitor, timedelta(hours=1))

    page = sent.back()

    expect_refusal(page, world, 400, OVER)
    assert provider.count("/token") == 0
    assert accounts(world) == before
    assert sent.visitor.open(page.link("Start again")).path.startswith("/login")


def test_whoever_thinks_for_an_hour_about_what_is_asked_starts_again(
    world: World, name: str, upstream: tuple[OpenIdProvider, str]
) -> None:
    _, app = upstream
    sent, before = Sent(world, app, name), accounts(world)
    page = sent.back()
    assert page.path.startswith("/login/join")
    move(world, "arrival", sent.visitor, timedelta(hours=1))

    late = sent.visitor.submit()

    expect_refusal(late, world, 400, OVER)
    assert accounts(world) == before
    assert f"client_id={app}" in late.link("Start again")


@pytest.fixture
def other(world: World) -> Iterator[tuple[OpenIdProvider, str, str]]:
    """Return another provider, an app whose people come by it, and its name."""
    named = f"P{uuid.uuid4().hex[:12]}"
    with openid(world, named) as (provider, app):
        yield provider, app, named


def test_the_state_of_one_providers_trip_is_no_good_for_anothers_answer(
    world: World, name: str, upstream: tuple[OpenIdProvider, str], other: tuple[OpenIdProvider, str, str]
) -> None:
    """Whose code it is, the provider of the trip is asked: it knows no such code."""
    provider, app = upstream
    _, other_app, other_name = other
    sent = Sent(world, app, name)
    elsewhere = Sent(world, other_app, other_name, sent.visitor)
    before = accounts(world)

    page = sent.back(code=elsewhere.answer["code"])

    expect_refusal(page, world, 400, UNCHECKED)
    assert refusals(world, name) == [{"check": "provider_refused", "said": "invalid_grant"}]
    assert accounts(world) == before
    assert provider.count("/me") == 0


def test_an_answer_that_names_another_issuer_is_shown_to_nobody(
    world: World, name: str, upstream: tuple[OpenIdProvider, str], other: tuple[OpenIdProvider, str, str]
) -> None:
    """Mix-up (RFC 9207): the other provider's code would be shown to this one."""
    provider, app = upstream
    elsewhere, other_app, other_name = other
    elsewhere.answered["iss"] = elsewhere.url
    sent = Sent(world, app, name)
    mixed = Sent(world, other_app, other_name, sent.visitor)
    before = accounts(world)

    page = sent.back(code=mixed.answer["code"], iss=mixed.answer["iss"])

    expect_refusal(page, world, 400, UNCHECKED)
    assert refusals(world, name) == [{"check": "answer: iss is another issuer's", "said": ""}]
    assert (provider.count("/token"), elsewhere.count("/token")) == (0, 0)
    assert accounts(world) == before
