"""Triggers that cannot be called, at the pages: a plain page says so, and the log has the pool and the trigger."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosted.federation import Federation
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


def test_nobody_comes_from_a_provider_past_a_function_that_may_change_who_they_are(live: Live) -> None:
    federation = Federation(live, mfa="OFF")
    name = federation.up.person()
    function = {"LambdaArn": FUNCTION, "LambdaVersion": "V1_0"}
    federation.idp.update_user_pool(
        UserPoolId=federation.down.pool_id,
        AutoVerifiedAttributes=["email"],
        LambdaConfig={"InboundFederation": function},
    )

    page = federation.sign_in(name)

    assert page.status < 500
    assert "be done here yet" in page.text
    assert federation.users() == 0
    assert [each["check"] for each in federation.refusals()] == ["trigger_unavailable"]


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
