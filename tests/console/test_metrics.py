"""The metrics are shown to an operator who has proven both factors, wherever they are; to anyone else there are none.

Visitors of these tests come from addresses of 127.0.0.0/8 that are neither bound nor 127.0.0.1.
"""

from __future__ import annotations

import re
import urllib.request
import uuid
from datetime import timedelta
from time import monotonic, sleep

from identity.foundation import clock
from pools.models import OutboxMessage
from tests.console.world import PASSWORD, Visitor, World
from tests.live import Live


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


def outbox(live: Live) -> dict[str, float]:
    """Return what the metrics say of the outbox."""
    with urllib.request.urlopen(f"{live.base_url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^cognate_outbox_(\w+) (\S+)$", text, re.MULTILINE)}


def settled_outbox(live: Live) -> dict[str, float]:
    """Return the same, once what other tests have caused to be sent is: it does not change any more."""
    until, seen = monotonic() + 20, outbox(live)
    while True:
        sleep(0.3)
        now = outbox(live)
        if now["due"] == seen["due"]:
            return now
        assert monotonic() < until
        seen = now


def test_a_web_process_tells_how_the_outbox_stands(live: Live) -> None:
    """Though another process delivers. What is left here is leased, so that the worker lets it be."""
    before = settled_outbox(live)
    now = clock.now()
    lease = uuid.uuid4()
    held = {"lease": lease, "lease_until": now + timedelta(hours=1), "channel": "email", "recipient_hash": b""}
    late, early, given_up = (
        OutboxMessage(pool_id=0, state=state, due_at=due_at, **held)
        for state, due_at in (
            ("handing", now - timedelta(seconds=3000)),
            ("pending", now + timedelta(hours=1)),
            ("failed", now - timedelta(seconds=9000)),
        )
    )
    with live.orm():
        OutboxMessage.objects.bulk_create([late, early, given_up])

    try:
        after = outbox(live)
    finally:
        with live.orm():
            OutboxMessage.objects.filter(pool_id=0, lease=lease).delete()

    assert after["due"] == before["due"] + 1
    assert 3000 <= after["oldest_due_seconds"] < 9000
    assert after["failed_of_a_day"] == before["failed_of_a_day"] + 1
    assert outbox(live)["failed_of_a_day"] == before["failed_of_a_day"]
