"""The installation of the story: what ``make run`` starts, with an AWS for its demo."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass
from time import monotonic, sleep, time
from typing import Any

import pyotp

from tests.run.installation import Installation

PASSWORD = "Correct-horse-1"
MAIL = "ada@example.com"
PATIENCE = 60
TOTP_STEP = 30


@dataclass(frozen=True)
class Lane:
    """An AWS that the demo may have, and what its sample app says of it."""

    about: str
    rules: str
    """Whose rules decide about another's folder."""
    stranger: str
    """The answer to who writes in another's folder."""
    lasts: bool
    """Whether it holds over a restart what it was given."""


CEPH = Lane(
    "STS and S3 are Ceph's gateway",
    "should be refused by the storage itself",
    "Refused by the storage (AccessDenied), as it should be.",
    lasts=True,
)
MOTO = Lane(
    "it keeps photos in memory until it is stopped, and checks nothing, neither tokens nor rules",
    "the stand-in that runs here checks nothing and will allow it",
    "It was allowed, because this storage checks nothing. With a real one it is refused.",
    lasts=False,
)


class WithAws(Installation):
    """An installation that starts an AWS for its demo, and counts its starts."""

    starts = 0

    def start(self) -> float:
        """Start it."""
        self.environment.pop("STS_ENDPOINT_URL", None)
        self.starts += 1
        return super().start()


def wait_for_aws(installation: WithAws) -> dict[str, Any]:
    """Return the bootstrap file once the demo's AWS was seeded by this start. The terminal goes on over restarts."""
    until = monotonic() + PATIENCE
    while installation.shown().count("the demo's AWS is ready") < installation.starts:
        assert monotonic() < until, installation.said()[-4000:]
        sleep(0.2)
    return installation.bootstrap()


def restart(installation: WithAws) -> dict[str, Any]:
    """Stop everything, start it again, and return the bootstrap file."""
    installation.stop()
    installation.start()
    return wait_for_aws(installation)


def lasting(kept: dict[str, Any]) -> dict[str, Any]:
    """Return what never changes."""
    return {name: kept[name] for name in kept if name.endswith(("_id", "secret")) or name == "operator"}


def mailed_code(installation: Installation) -> str:
    """Return the code of the newest mail to Ada."""
    until = monotonic() + 10
    query = urllib.parse.urlencode({"to": MAIL})
    while monotonic() < until:
        with urllib.request.urlopen(f"{installation.base_url}/dev/messages?{query}") as answer:
            messages = json.load(answer)
        if messages:
            found = re.search(r"\b\d{6}\b", messages[0]["body"])
            assert found, messages[0]["body"]
            return found[0]
        sleep(0.1)
    raise AssertionError("no mail came")


class Authenticator:
    """An authenticator that never shows a code twice; the server takes the next step's a little early."""

    def __init__(self, seed: str) -> None:
        """Know the seed; no code was shown."""
        self.totp = pyotp.TOTP(seed)
        self.step = 0

    def code(self) -> str:
        """Return a code of a later step than the last one's."""
        self.step = max(int(time()) // TOTP_STEP, self.step + 1)
        while self.step > time() // TOTP_STEP + 1:
            sleep(0.5)
        return self.totp.at(self.step * TOTP_STEP)
