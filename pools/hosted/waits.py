"""How long a browser waits before it asks for another code: by what itself asked for, never by what was sent.

What was sent tells who has an account. That nothing goes too early is the services' to see to (``messages``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation import clock
from pools.services import messages

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.hosted.browser import Step
    from pools.services.codes import Purpose

HOUR = 3600


def after_asking(step: Step, username: str, purpose: Purpose) -> dict[str, list[int]]:
    """Return when a browser has asked for codes, this one included, in epoch seconds by purpose.

    Who asks before the wait is over gets no other code, and does not wait longer for it.
    """
    now = clock.epoch()
    before = step.waits if step.username == username else {}
    asked = [moment for moment in before.get(purpose, []) if moment > now - HOUR]
    if messages.next_code_at(asked) <= now:
        asked.append(now)
    return {**before, str(purpose): asked}


def left(step: Step, purpose: Purpose) -> int:
    """Return the seconds until a browser is sent another code if it asks."""
    return max(0, messages.next_code_at(step.waits.get(purpose, [])) - clock.epoch())


def said(response: HttpResponse, seconds: int) -> HttpResponse:
    """Say so in a header too, unless the form's own error says how long to wait."""
    if seconds:
        response.setdefault("Retry-After", str(seconds))
    return response
