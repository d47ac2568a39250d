"""One address that fails to sign in again and again, whatever the names: it waits, and nobody else does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pyotp
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from identity.foundation import clock, limits
from pools.hosted import address_failures
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, TIMEOUT, Visitor, World

WAIT = "Too many tries. Try again in "
NUMBERS = itertools.count(1)


@pytest.fixture
def address() -> str:
    """Return an address that nobody else comes from."""
    return f"127.0.2.{next(NUMBERS)}"


@pytest.fixture
def failed(world: World, address: str) -> Callable[[int], None]:
    """Return how an address comes to have failed so often in the window that has just begun or still lasts."""

    def fail(count: int) -> None:
        while address_failures.WINDOW - clock.epoch() % address_failures.WINDOW < 20:
            time.sleep(0.5)
        with world.live.redis.client() as redis:
            redis.set(slot(world, address), count, ex=address_failures.WINDOW)

    return fail


def slot(world: World, address: str) -> str:
    """Return where the failures of an address are counted."""
    window = clock.epoch() // address_failures.WINDOW
    return f"{world.live.settings['REDIS_PREFIX']}limit:{address_failures.NAME}:{world.pool_id}:{address}:{window}"


def counted(world: World, address: str) -> int:
    """Return how often an address failed in this window."""
    with world.live.redis.client() as redis:
        return int(redis.get(slot(world, address)) or 0)


def guesses(world: World) -> int:
    """Return how many accounts and decoys of the pool have been guessed at: nothing is hashed that was not counted."""
    from pools.models import Guess

    with world.rows() as pool:
        return Guess.objects.filter(pool_id=pool.pk).count()


@pytest.mark.parametrize("is_known", [True, False])
def test_an_address_that_failed_too_often_waits_whatever_the_name_and_password(
    world: World, address: str, failed: Callable[[int], None], *, is_known: bool
) -> None:
    name = world.person() if is_known else world.name()
    failed(address_failures.FAILURES - 1)

    last = world.visitor(address).sign_in(world.name(), OTHER_PASSWORD)
    before = guesses(world)
    page = world.visitor(address).sign_in(name, PASSWORD)

    assert last.status == 200
    assert page.status == 429
    assert page.alert.startswith(WAIT)
    assert 1 <= int(page.answer.headers["Retry-After"]) <= address_failures.WINDOW
    assert guesses(world) == before  # nothing was looked at, so nothing was hashed


def test_other_addresses_other_pools_and_applications_go_on(
    world: World, strict: World, address: str, failed: Callable[[int], None]
) -> None:
    name, theirs = world.person(), strict.person()
    failed(address_failures.FAILURES)
    assert world.visitor(address).sign_in(name).status == 429

    assert world.visitor(f"127.0.3.{address.rpartition('.')[2]}").sign_in(name).code
    assert strict.visitor(address).sign_in(theirs).path == "/login/mfa"
    application = Visitor(world, address).session
    answer = application.post(
        world.live.base_url,
        json={
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": world.client_id,
            "AuthParameters": {"USERNAME": name, "PASSWORD": PASSWORD},
        },
        headers={"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"},
        timeout=TIMEOUT,
    )
    assert "AuthenticationResult" in answer.json()


def test_only_failures_count_of_known_and_unknown_names_alike(world: World, address: str) -> None:
    name = world.person()
    counts = []

    for who, password in ((name, PASSWORD), (name, OTHER_PASSWORD), (world.name(), PASSWORD), (name, PASSWORD)):
        world.visitor(address).sign_in(who, password)
        counts.append(counted(world, address))

    assert counts == [0, 1, 2, 2]


def test_codes_of_an_authenticator_are_guesses_too(world: World, address: str, failed: Callable[[int], None]) -> None:
    name = world.person()
    secret = world.give_totp(name)
    visitor = world.visitor(address)
    failed(address_failures.FAILURES - 1)
    assert visitor.sign_in(name).path == "/login/totp"

    assert visitor.submit(code="000000").status == 200
    page = visitor.submit(code=pyotp.TOTP(secret).at(int(time.time()) + 30))

    assert (page.path, page.status) == ("/login/totp", 429)
    assert page.alert.startswith(WAIT)
    assert int(page.answer.headers["Retry-After"]) >= 1


def test_a_refusal_is_seen_by_those_who_run_the_installation(
    world: World, address: str, failed: Callable[[int], None]
) -> None:
    failed(address_failures.FAILURES)
    world.visitor(address).sign_in(world.name())

    text = world.visitor("127.0.0.1").session.get(f"{world.live.base_url}/metrics", timeout=TIMEOUT).text
    samples = [sample for family in families(text) for sample in family.samples]

    assert any(sample.labels.get("name") == address_failures.NAME and sample.value for sample in samples)


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
    ],
)
def test_what_a_household_can_change_of_its_address_does_not_count(address: str, counts_as: str) -> None:
    assert address_failures.source(address) == counts_as


def test_without_redis_everybody_may_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise ConnectionError

    monkeypatch.setattr(limits, "connection", away)
    monkeypatch.setattr(limits, "_broken_until", 0.0)

    assert limits.wait("name", "key", limit=0, window=60) == 0
    assert limits.take("name", "key", limit=0, window=60)
