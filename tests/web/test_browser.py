"""What a browser's cookie keeps of its way through the pages, and how releases beside one another read it."""

from __future__ import annotations

from pools.web.browser import PageState

STEP = PageState(
    username="ann",
    notice="wait",
    challenge="totp",
    attempt_token="sealed",
    secret="SEED",
    sent_to="a***",
    codes_asked_at={"sign_up": [1]},
    limited={"sign_up": 2},
    account="fresh",
    proof="proof",
    typed={"email": "ann@example.com"},
    required=["name"],
)


def test_a_step_is_kept_under_the_names_of_the_release_before() -> None:
    kept = STEP.to_dict()

    assert list(kept) == [
        *("username", "notice", "challenge", "session", "secret", "sent_to", "waits", "limited", "account", "proof"),
        *("typed", "required"),
    ]
    assert (kept["session"], kept["waits"]) == ("sealed", {"sign_up": [1]})
    assert PageState.from_dict({**kept, "until": 1, "of_a_later_release": "x"}) == STEP
    assert PageState().to_dict() == {}
