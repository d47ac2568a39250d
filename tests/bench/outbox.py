"""How fast a worker hands messages to a mail server that takes each at once. As a program: that server."""

from __future__ import annotations

import sys
from time import perf_counter, process_time, sleep
from typing import TYPE_CHECKING, NamedTuple

from tests.run.smtp_server import SmtpServer

if TYPE_CHECKING:
    from pools.models import UserPool

MESSAGES = 500
SECONDS = 120


class Mailed(NamedTuple):
    """How fast it was."""

    per_second: float
    """By the wall clock: whatever else the machine did counts too."""
    milliseconds: float
    """Of this process's processor time a message."""


def send(pool: UserPool, port: int) -> Mailed:
    """Send as many codes, each to an address of its own, by the worker's own threads in this process."""
    from django.conf import settings
    from django.db import transaction

    from pools.models import OutboxMessage
    from pools.services.messages import compose, outbox
    from pools.tasks import OutboxSweeper

    ours = {"MAIL_CHANNEL": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port, "EMAIL_USE_TLS": False}
    before = {name: getattr(settings, name) for name in ours}
    for name, value in ours.items():
        setattr(settings, name, value)
    with transaction.atomic():
        for number in range(MESSAGES):
            to = f"person{number}@example.com"
            outbox.queue(compose.code(pool, None, purpose="recovery", code="123456", to=to, channel="email"))
    waiting = OutboxMessage.objects.filter(pool_id=pool.pk, state__in=["pending", "handing"])
    sweeper, began, spent = OutboxSweeper(every=0.05), perf_counter(), process_time()
    sweeper.start()
    while (left := waiting.count()) and perf_counter() - began < SECONDS:
        sleep(0.05)
    taken, spent = perf_counter() - began, process_time() - spent
    sweeper.stop()
    for name, value in before.items():
        setattr(settings, name, value)
    sent = MESSAGES - left
    return Mailed(sent / taken, 1000 * spent / max(1, sent))


if __name__ == "__main__":
    SmtpServer("127.0.0.1", int(sys.argv[1])).serve_forever()
