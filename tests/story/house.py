"""The house of the story: what ``make run`` starts, with an AWS for its demo."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from time import monotonic, sleep
from typing import Any

import pyotp

from tests.run.house import House

PASSWORD = "Correct-horse-1"
MAIL = "ada@example.com"
PATIENCE = 60
TOTP_STEP = 30


class WithAws(House):
    """A house that starts an AWS for its demo, and counts its starts."""

    starts = 0

    def start(self) -> float:
        """Start it."""
        self.environment.pop("STS_ENDPOINT_URL", None)
        self.starts += 1
        return super().start()


def wait_for_aws(house: WithAws) -> dict[str, Any]:
    """Return the bootstrap file once the demo's AWS was seeded by this start. The log goes on over restarts."""
    until = monotonic() + PATIENCE
    while house.said().count("the demo's AWS is ready") < house.starts:
        assert monotonic() < until, house.said()[-4000:]
        sleep(0.2)
    return house.bootstrap()


def restart(house: WithAws) -> dict[str, Any]:
    """Stop everything, start it again, and return the bootstrap file."""
    house.stop()
    house.start()
    return wait_for_aws(house)


def lasting(kept: dict[str, Any]) -> dict[str, Any]:
    """Return what never changes."""
    return {name: kept[name] for name in kept if name.endswith(("_id", "secret")) or name == "operator"}


def mailed_code(house: House) -> str:
    """Return the code of the newest mail to Ada."""
    until = monotonic() + 10
    query = urllib.parse.urlencode({"to": MAIL})
    while monotonic() < until:
        with urllib.request.urlopen(f"{house.base_url}/dev/messages?{query}") as answer:
            messages = json.load(answer)
        if messages:
            found = re.search(r"\b\d{6}\b", messages[0]["body"])
            assert found, messages[0]["body"]
            return found[0]
        sleep(0.1)
    raise AssertionError("no mail came")


def fresh_code(totp: pyotp.TOTP, spent: str) -> str:
    """Return a code other than the one that was spent; wait for the next step if it must be."""
    until = monotonic() + TOTP_STEP + 2
    while totp.now() == spent and monotonic() < until:
        sleep(0.5)
    return totp.now()
