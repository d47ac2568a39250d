"""How long a browser waits before it asks for another code: by what itself asked for, never by what was sent.

What was sent tells who has an account. Beyond this, the send limits hold (``messages``), alike for every name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from identity.foundation import clock, errors
from pools.services.messages import send_limits
from pools.web import notices
from pools.web.browser import PageState

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.services.codes import Purpose
    from pools.web.notices import Notice

HOUR = 3600
SOON = 60
"""Seconds after which a limit is asked again that does not say when it ends."""


class CodeRequest(NamedTuple):
    """What came of asking for a code, and what the browser remembers of it."""

    is_sent: bool
    codes_asked_at: dict[str, list[int]]
    limited: dict[str, int]


def request_code(page_state: PageState, username: str, purpose: Purpose, send: Callable[[], object]) -> CodeRequest:
    """Have a code sent, unless this browser's wait is not over yet or a send limit is reached.

    Who asks too early gets no other code, and does not wait longer for it.
    """
    before = page_state if page_state.username == username else PageState()
    if seconds_left(before, purpose):
        return CodeRequest(False, before.codes_asked_at, before.limited)  # noqa: FBT003 - named by its field
    try:
        send()
    except errors.TooManyAttempts as limit:
        until = clock.epoch() + (limit.wait or SOON)
        return CodeRequest(False, before.codes_asked_at, {**before.limited, str(purpose): until})  # noqa: FBT003
    return after_sending(page_state, username, purpose)


def after_sending(page_state: PageState, username: str, purpose: Purpose) -> CodeRequest:
    """Return what a browser remembers of a code that was sent now: of the hour's, this one included."""
    before = page_state if page_state.username == username else PageState()
    now = clock.epoch()
    asked = [moment for moment in before.codes_asked_at.get(purpose, []) if moment > now - HOUR]
    return CodeRequest(True, {**before.codes_asked_at, str(purpose): [*asked, now]}, before.limited)  # noqa: FBT003


def keep(page_state: PageState, code_request: CodeRequest, *, sent: str = "") -> PageState:
    """Return a page state with what came of it, and the notice of a code that was ``sent``, or of none."""
    return replace(
        page_state,
        notice=sent if code_request.is_sent else "wait",
        codes_asked_at=code_request.codes_asked_at,
        limited=code_request.limited,
    )


def seconds_left(page_state: PageState, purpose: Purpose) -> int:
    """Return the seconds until a browser is sent another code if it asks."""
    until = max(
        send_limits.next_code_at(page_state.codes_asked_at.get(purpose, [])), page_state.limited.get(purpose, 0)
    )
    return max(0, until - clock.epoch())


def notice(page_state: PageState, seconds: int) -> Notice | None:
    """Return the page's notice; where no code went out, with the wait that is left, if any is."""
    before = notices.NO_CODE.get(page_state.notice)
    if before is None:
        return notices.NOTICES.get(page_state.notice)
    text = " ".join(text for text in (str(before), notices.no_code(seconds)) if text)
    return ("warn", text) if text else None


def set_retry_after(response: HttpResponse, seconds: int) -> HttpResponse:
    """Say so in a header too, unless the form's own error says how long to wait."""
    if seconds:
        response.setdefault("Retry-After", str(seconds))
    return response
