"""Many pools in one browser: ten keep their cookies, the oldest go first, and what goes is ended."""

from __future__ import annotations

import pytest
import requests

from tests.hosted.world import TIMEOUT, Visitor, World
from tests.live import Live

KEPT = 10


@pytest.fixture(scope="module")
def street(live: Live) -> list[World]:
    """Return eleven pools of one origin."""
    return [World(live, mfa="OFF") for _ in range(KEPT + 1)]


@pytest.fixture
def shared() -> requests.Session:
    """Return the cookies of one browser."""
    return requests.Session()


def at(world: World, shared: requests.Session) -> Visitor:
    """Return that browser at a pool."""
    visitor = world.visitor()
    visitor.session = shared
    return visitor


def pools_in(shared: requests.Session) -> set[str]:
    """Return the short ids of the pools that a browser holds cookies of."""
    return {cookie.name.split("-")[1] for cookie in shared.cookies}


def short(world: World) -> str:
    """Return a pool's short id."""
    return world.pool_id.rpartition("_")[2]


def is_signed_in(world: World, cookie: str | None) -> bool:
    """Say whether that session cookie still opens something, in any browser."""
    answer = requests.get(
        world.url("/oauth2/authorize", prompt="none"),
        headers={"Cookie": f"cg-{short(world)}={cookie}"},
        allow_redirects=False,
        timeout=TIMEOUT,
    )
    return "code=" in answer.headers["Location"]


def test_an_eleventh_pool_sends_the_oldest_out_and_ends_its_session(
    street: list[World], shared: requests.Session
) -> None:
    eleventh, *ten = street
    held = {}
    for world in ten:
        assert at(world, shared).sign_in(world.person()).code
        held[world.pool_id] = at(world, shared).cookie()
    at(ten[0], shared).sign_in(ten[0].person(), prompt="login")  # a new session: now the second is the oldest
    held[ten[0].pool_id] = at(ten[0], shared).cookie()
    assert pools_in(shared) == set(map(short, ten))

    assert at(eleventh, shared).sign_in(eleventh.person()).code

    assert pools_in(shared) == set(map(short, street)) - {short(ten[1])}
    assert [is_signed_in(world, held[world.pool_id]) for world in ten] == [True, False, *[True] * 8]
    assert is_signed_in(eleventh, at(eleventh, shared).cookie())
    with ten[1].rows() as pool:
        from pools.models import AuditEvent

        assert AuditEvent.objects.filter(pool_id=pool.pk, tag="signed_out").count() == 1


def test_pools_where_nobody_is_signed_in_go_first(street: list[World], shared: requests.Session) -> None:
    *people, first_looked_at, looked_at, last = street
    for world in people:
        assert at(world, shared).sign_in(world.person()).code
    at(first_looked_at, shared).start()
    at(looked_at, shared).start()
    assert pools_in(shared) == {short(world) for world in street} - {short(last)}

    at(last, shared).start()

    assert pools_in(shared) == {short(world) for world in street} - {short(first_looked_at)}
    assert all(is_signed_in(world, at(world, shared).cookie()) for world in people)


def test_no_session_is_ended_by_a_cookie_that_only_names_it(street: list[World], shared: requests.Session) -> None:
    victim, *others = street
    assert at(victim, shared).sign_in(victim.person()).code
    cookie = at(victim, shared).cookie() or ""
    forged = cookie[:22] + ("A" * len(cookie[22:]))
    younger = "_" * len(cookie)
    sent = "; ".join([f"cg-{short(victim)}={forged}", *(f"cg-{short(world)}={younger}" for world in others[1:])])

    answer = requests.get(others[0].url(), headers={"Cookie": sent}, timeout=TIMEOUT)

    assert f"cg-{short(victim)}=" in answer.headers["Set-Cookie"]
    assert is_signed_in(victim, cookie)


def test_a_header_full_of_made_up_cookies_costs_little(world: World) -> None:
    made_up = "; ".join(f"cg-nobody{number}=x" for number in range(200))
    untouched = f"; __Host-cg-{short(world)}=x; cg-=x; cg-a-b=x; operator=x"

    answer = requests.get(world.url(), headers={"Cookie": made_up + untouched}, timeout=TIMEOUT)

    gone = [cookie.partition("=")[0] for cookie in answer.raw.headers.getlist("Set-Cookie") if "Max-Age=0" in cookie]
    assert gone == [f"cg-nobody{number}" for number in range(KEPT)]
