"""How far a browser is in setting up a second factor: a kind is chosen, something is given for it, a code is sent.

By whom and within what it is set up, the caller says with an ``Enrol``. What the pages look like is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.services.codes import Purpose
from pools.services.sign_in import enrolment, factors, own_factors
from pools.web import resend_wait
from pools.web.browser import PageState

if TYPE_CHECKING:
    from identity.foundation.actor import Actor
    from pools.models.hot import Person
    from pools.web.page_request import PageRequest

Enrol = Callable[[str, Mapping[str, str]], tuple[str, str]]
"""Begins to set up a kind by what was given for it; returns what it takes, and an attempt token where there is one."""


def within_sign_in(page_request: PageRequest, attempt_token: str) -> Enrol:
    """Return how it begins inside the machine's challenge."""

    def enrol(kind: str, given: Mapping[str, str]) -> tuple[str, str]:
        return enrolment.enrol(
            page_request.app, attempt_token, kind, given, receipt=page_request.receipt, by=page_request.by
        )

    return enrol


def of_person(page_request: PageRequest, person: Person, *, by: Actor) -> Enrol:
    """Return how it begins for somebody who is signed in."""

    def enrol(kind: str, given: Mapping[str, str]) -> tuple[str, str]:
        return own_factors.enrol(page_request.pool, person, kind, given, receipt=page_request.receipt, by=by), ""

    return enrol


def begin(
    page_state: PageState, kind: str, enrol: Enrol, *, given: Mapping[str, str] | None = None, sent: str = ""
) -> PageState:
    """Begin to set up a kind by what is ``given`` for it; return where the browser is then.

    That is at the page of its first code; at the one before, where something has to be given first, or the wait for a
    code to another place is not over. ``sent`` is the notice of a code that goes out.

    Raises:
        Invalid: what was given cannot be used, or the pool has not that kind.

    """
    given = dict(given or {})
    is_repeated = given == page_state.typed
    chosen = replace(page_state, factor=kind, notice="", required=[], typed=given)
    begun: list[tuple[str, str]] = []
    try:
        if factors.named(kind).sends_code:
            before = page_state if is_repeated else _without_waits(page_state)
            code_request = resend_wait.request_code(
                before, before.username, Purpose.SECOND_FACTOR, lambda: begun.append(enrol(kind, given))
            )
            chosen = resend_wait.keep(chosen, code_request, sent=sent)
        else:
            begun.append(enrol(kind, given))
    except errors.Invalid as missing:
        if given or not missing.field:
            raise
        return replace(chosen, required=[missing.field])
    if not begun:
        return chosen if is_repeated else replace(chosen, sent_to="", required=list(given))
    needed, attempt_token = begun[0]
    chosen = replace(chosen, attempt_token=attempt_token or page_state.attempt_token)
    return replace(chosen, sent_to=needed) if factors.named(kind).sends_code else replace(chosen, secret=needed)


def _without_waits(page_state: PageState) -> PageState:
    """Return a page state as if no code had been asked for: one to another number is no code again."""
    return replace(
        page_state,
        codes_asked_at={**page_state.codes_asked_at, Purpose.SECOND_FACTOR: []},
        limited={**page_state.limited, Purpose.SECOND_FACTOR: 0},
    )


def is_begun(page_state: PageState, kind: str) -> bool:
    """Say whether all is there that a first code of a kind is made by; of none chosen yet, that it is not."""
    if not kind:
        return False
    needed = page_state.sent_to if factors.named(kind).sends_code else page_state.secret
    return bool(needed) and not page_state.required
