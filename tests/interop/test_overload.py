"""Many ask for credentials at once, of a process with few threads, while the STS fetches our keys from it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from tests.interop.conftest import World

pytestmark = pytest.mark.interop
REFUSALS = {"TooManyRequestsException", "ExternalServiceException"}
PATIENCE = 5
"""Seconds after which an application gives up."""


@pytest.mark.parametrize("threads", [4, 24])
def test_sixty_four_at_once_are_served_or_refused_while_people_sign_in(
    threads: int, world: World, shape: Callable[..., None]
) -> None:
    shape(workers=1, threads=threads)
    name_tokens = world.person()
    logins = world.logins(name_tokens)
    identity_id = world.get_id(logins)
    world.credentials(identity_id, logins)  # what is loaded at first use is loaded

    # By hand: sixty-four clients of boto3 would take the processor for themselves.
    request = urllib.request.Request(
        world.live.base_url,
        json.dumps({"IdentityId": identity_id, "Logins": logins}).encode(),
        {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "AWSCognitoIdentityService.GetCredentialsForIdentity",
        },
    )

    def ask(_number: int) -> tuple[str, float]:
        began = monotonic()
        try:
            with urllib.request.urlopen(request, timeout=4 * PATIENCE) as answer:
                found = "ok" if json.load(answer)["Credentials"]["SecretKey"] else "empty"
        except urllib.error.HTTPError as problem:
            found = json.load(problem)["__type"]
        return found, monotonic() - began

    def sign_in(_number: int) -> tuple[dict[str, str], float]:
        began = monotonic()
        return world.person(), monotonic() - began

    with ThreadPoolExecutor(72) as crowd:
        asked = [crowd.submit(ask, number) for number in range(64)]
        signing_in = [crowd.submit(sign_in, number) for number in range(4)]
        outcomes = [future.result() for future in asked]
        people = [future.result() for future in signing_in]

    counted = Counter(outcome for outcome, _ in outcomes)
    assert counted["ok"] > 0
    assert set(counted) <= {"ok", *REFUSALS}, counted
    assert max(seconds for _, seconds in outcomes) < PATIENCE, counted
    assert all(person["IdToken"] for person, _ in people)
    # Each signs up, is confirmed and signs in: three calls, of which none waits longer than a vending may.
    assert max(seconds for _, seconds in people) < 3 * PATIENCE
    assert world.credentials(identity_id, logins)
