"""A Redis that is there and says nothing, which is worse than one that is gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import pytest

from tests.run.installation import Installation, lived_in, running
from tests.run.test_kill import client_of, keys, mails

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]
__all__ = ["keys"]
POOL = {"AutoVerifiedAttributes": ["email"], "UsernameAttributes": ["email"]}
PATIENCE = 10


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(lived_in(tmp_path_factory.mktemp("silent") / "var"), DEMO="0") as started:
        yield started


def seconds(sign_up: Any, number: int) -> float:  # noqa: ANN401 - boto3's own
    began = monotonic()
    sign_up(Username=f"person{number}@example.com", Password="Correct-horse-1")
    return monotonic() - began


def test_a_silent_redis_slows_little_down_and_keeps_no_mail_back(
    installation: Installation, keys: dict[str, str]
) -> None:
    signed = client_of(installation, keys)
    pool = signed.create_user_pool(PoolName="silent", **POOL)["UserPool"]["Id"]
    client = signed.create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    anyone = client_of(installation, keys, signed=False)

    def sign_up(**given: str) -> None:
        anyone.sign_up(ClientId=client, **given)

    usual = sorted(seconds(sign_up, number) for number in range(5))[2]
    redis = installation.leaders()["redis"]
    os.killpg(redis, signal.SIGSTOP)
    try:
        slowest = max(seconds(sign_up, number) for number in range(10, 15))
        until = monotonic() + PATIENCE
        while not mails(installation, "person14@example.com"):
            assert monotonic() < until, "the mail waits for Redis"
            sleep(0.1)
    finally:
        os.killpg(redis, signal.SIGCONT)

    # 0.1 s to ask for a window, 0.2 s to publish, and a machine that may be busy.
    assert slowest < usual + 1.5
    seconds(sign_up, 20)
