"""The metrics are shown to an operator who has proven both factors, wherever they are; to anyone else there are none.

Visitors of these tests come from addresses of 127.0.0.0/8 that are neither bound nor 127.0.0.1.
"""

from __future__ import annotations

from tests.console.world import PASSWORD, Visitor, World


def seen_by(visitor: Visitor) -> tuple[int, bool]:
    """Return the status of the metrics' page, and whether it shows any."""
    answer = visitor.get("/metrics")
    return answer.status_code, "cognate_http_seconds" in answer.text


def test_both_factors_show_the_metrics_and_signing_out_hides_them(world: World) -> None:
    visitor = world.inside()
    assert seen_by(visitor) == (200, True)

    visitor.send_form("/console/sign-out", page="/console/pools")

    assert seen_by(visitor) == (404, False)


def test_a_password_alone_shows_what_a_stranger_sees(world: World) -> None:
    stranger, visitor = world.visitor(), world.visitor()

    answer = visitor.send_form("/console/sign-in", username=world.operator().username, password=PASSWORD)

    assert answer.headers["Location"] == "/console/sign-in/code"
    assert seen_by(visitor) == seen_by(stranger) == (404, False)
    assert visitor.get("/metrics").content == stranger.get("/metrics").content
