"""A Redis that is there and says nothing, which is worse than one that is gone."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from statistics import median
from time import monotonic, sleep

import pytest

from tests.run.installation import Installation, lived_in, running
from tests.run.test_kill import client_of, keys, mails

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]
__all__ = ["keys"]
POOL = {"AutoVerifiedAttributes": ["email"], "UsernameAttributes": ["email"]}
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
MEMBER, PASSWORD = "member@example.com", "Correct-horse-1"
PATIENCE = 10
# A sign-in and a sign-up take so much longer (0.1 s to ask for a window, 0.2 s to publish); mail is out after so long.
PROMISED = (0.3, 0.6, 3.0)
UNASKED = 2.5
"""Longer than a Redis that failed is left alone."""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(lived_in(tmp_path_factory.mktemp("silent") / "var"), DEMO="0") as started:
        yield started


def seconds(act: Callable[[], object]) -> float:
    began = monotonic()
    act()
    return monotonic() - began


class Place:
    """A pool whose people sign up and in."""

    def __init__(self, installation: Installation, keys: dict[str, str]) -> None:
        self.installation, self.anyone = installation, client_of(installation, keys, signed=False)
        signed = client_of(installation, keys)
        pool = signed.create_user_pool(PoolName="silent", **POOL)["UserPool"]["Id"]
        app = signed.create_user_pool_client(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=FLOWS)
        self.client = app["UserPoolClient"]["ClientId"]
        signed.admin_create_user(UserPoolId=pool, Username=MEMBER, MessageAction="SUPPRESS")
        signed.admin_set_user_password(UserPoolId=pool, Username=MEMBER, Password=PASSWORD, Permanent=True)
        self.names = (f"person{number}@example.com" for number in itertools.count())

    def sign_in(self) -> None:
        given = {"USERNAME": MEMBER, "PASSWORD": PASSWORD}
        self.anyone.initiate_auth(ClientId=self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)

    def sign_up(self) -> str:
        name = next(self.names)
        self.anyone.sign_up(ClientId=self.client, Username=name, Password=PASSWORD)
        return name

    def wait_for_mail(self, name: str) -> None:
        until = monotonic() + PATIENCE
        while not mails(self.installation, name):
            assert monotonic() < until, "the mail waits for Redis"
            sleep(0.02)


def test_a_silent_redis_slows_little_down_and_keeps_no_mail_back(
    installation: Installation, keys: dict[str, str]
) -> None:
    place = Place(installation, keys)
    usual = {act: median(seconds(act) for _ in range(5)) for act in (place.sign_in, place.sign_up)}
    redis = installation.leaders()["redis"]
    rounds: list[tuple[float, ...]] = []
    # A machine that does something else only adds: the best of three rounds is the measure, the worst in each its own.
    while not rounds or (len(rounds) < 3 and not is_as_promised(rounds)):
        if rounds:
            sleep(UNASKED)
        os.killpg(redis, signal.SIGSTOP)
        try:
            slower = [
                max(seconds(act) for _ in range(5)) - usual[act]  # the first of them finds out
                for act in (place.sign_in, place.sign_up)
            ]
            name = place.sign_up()
            rounds.append((*slower, seconds(lambda: place.wait_for_mail(name))))  # noqa: B023 - called at once
        finally:
            os.killpg(redis, signal.SIGCONT)

    assert is_as_promised(rounds), rounds
    place.sign_up()


def is_as_promised(rounds: list[tuple[float, ...]]) -> bool:
    """Say whether the best of these keep what DECISIONS (mistake 8) promises."""
    return all(min(took) < most for took, most in zip(zip(*rounds, strict=True), PROMISED, strict=True))
