"""Triggers that cannot be called, at the pages: a plain page says so, and the log has the pool and the trigger."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosted.world import PASSWORD, World
from tests.live import Live

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
SENDER = {
    "CustomEmailSender": {"LambdaArn": FUNCTION, "LambdaVersion": "V1_0"},
    "KMSKeyID": "arn:aws:kms:us-east-1:000000000000:key/k",
}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("/login", {"PreAuthentication": FUNCTION}),
    ("/login", {"PreTokenGeneration": FUNCTION}),
    ("/signup", {"PreSignUp": FUNCTION}),
    ("/signup", SENDER),
    ("/forgotPassword", SENDER),
]


@pytest.mark.parametrize(("page", "triggers"), CASES)
def test_a_page_says_that_a_check_cannot_be_made(live: Live, page: str, triggers: dict[str, Any]) -> None:
    world = World(live, mfa="OFF", by_email=False, LambdaConfig=triggers)
    name, visitor = world.name(), world.visitor()
    typed = {
        "/login": {"username": name, "password": PASSWORD},
        "/signup": {"username": name, "email": f"{name}@example.org", "password": PASSWORD},
        "/forgotPassword": {"username": name},
    }[page]

    visitor.start(page)
    answer = visitor.submit(typed)

    assert answer.status < 500
    assert "be done here yet" in answer.text
    assert any("trigger_not_called" in line and world.pool_id in line for line in live.log("web").splitlines())
