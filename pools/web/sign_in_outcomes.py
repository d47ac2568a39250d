"""Where the machine's answer leads: to the page of what it still asks, or on with a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import structlog

from identity.foundation import errors
from pools.services.sign_in import enrolment, factors, own_factors
from pools.services.sign_in.machine import Challenge, Challenged, SignedIn
from pools.services.tokens import participants, sessions
from pools.web.browser import MADE_HERE, PageState

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.web.page_request import PageRequest

log = structlog.get_logger("hosted")


def state_for_challenge(_: PageRequest, outcome: Challenged, username: str) -> PageState:
    """Return the state of the page that asks for the challenge alone."""
    return PageState(username=username, challenge=outcome.challenge, attempt_token=outcome.attempt_token)


def state_for_new_password(_: PageRequest, outcome: Challenged, username: str) -> PageState:
    """Return the page state of somebody who chooses a password, with the attributes that are missing."""
    required = [str(name) for name in outcome.parameters.get("required", [])]
    return PageState(
        username=username, challenge=outcome.challenge, attempt_token=outcome.attempt_token, required=required
    )


def begin_factor_setup(page_request: PageRequest, outcome: Challenged, username: str) -> PageState:
    """Begin to set up the first factor of those that the pool lets people have; return the state of the page for it."""
    kind = outcome.parameters["can_set_up"][0]
    secret, attempt_token = enrolment.enrol(page_request.app, outcome.attempt_token, kind, by=page_request.by)
    return PageState(username=username, challenge=outcome.challenge, attempt_token=attempt_token, secret=secret)


class ChallengePage(NamedTuple):
    """The page that asks for a challenge of the machine, and how a browser comes to it."""

    name: str
    enter: Callable[[PageRequest, Challenged, str], PageState]


PAGES: dict[str, ChallengePage] = {
    **{factor.kind: ChallengePage(factor.kind, state_for_challenge) for factor in factors.FACTORS},
    Challenge.NEW_PASSWORD: ChallengePage("new_password", state_for_new_password),
    Challenge.FACTOR_SETUP: ChallengePage("factor_setup", begin_factor_setup),
}
"""By challenge; one that is missing here stops the sign-in. A second factor's page is called by its kind."""


def proceed(page_request: PageRequest, outcome: Challenged | SignedIn, *, username: str) -> HttpResponse:
    """Go where the machine's answer leads: to the page of its challenge, or on with a session."""
    if isinstance(outcome, SignedIn):
        return open_session(page_request, outcome, username=username)
    page = PAGES.get(outcome.challenge)
    if page is None:
        log.error("challenge_without_page", challenge=str(outcome.challenge))
        return page_request.problem("no_such_step", status=501)
    return page_request.go(page.name, page.enter(page_request, outcome, username))


def go_back(page_request: PageRequest) -> HttpResponse:
    """Lead on from a page of a sign-in that is further by now, or over."""
    page_state = page_request.page_state
    due = PAGES.get(page_state.challenge)
    if page_state.attempt_token and due is not None and due.name != page_request.name:
        return page_request.go(due.name)
    if page_request.browser.signed_in_session() is not None:
        return page_request.go("sign_in")  # where whoever is signed in may carry on
    # The challenge is spent or too old: nothing of it is worth keeping.
    return page_request.go("sign_in", PageState(username=page_state.username, notice="expired"))


def open_session(page_request: PageRequest, outcome: SignedIn, *, username: str) -> HttpResponse:
    """Take the session, and go on; right after its confirmation an account is offered a second factor once."""
    opened = outcome.opened_session
    if opened is None:
        raise errors.Misuse("the pages ask the machine for a browser session")
    is_fresh = page_request.page_state.account == MADE_HERE
    before = page_request.browser.live_session()
    if before is not None:
        # Whoever has a copy of the old cookie has nothing: the session changes with every new proof.
        sessions.end(page_request.pool, before, by=page_request.by_user(before))
        if before.person.id == outcome.person.id:
            participants.hand_over(page_request.pool.pk, before.id, opened.id, seconds=opened.max_age)
    page_request.browser.open(opened)
    page_request.browser.remember_way(page_request.provider)
    pool, person = page_request.pool, outcome.person
    offered = factors.open_in(pool) if is_fresh and pool.mfa == pool.Mfa.OPTIONAL and not person.factors else []
    if offered:
        secret = own_factors.enrol(pool, person, offered[0].kind, by=page_request.by_user(outcome))
        return page_request.go("factor_setup", PageState(username=username, secret=secret))
    page_request.browser.keep(PageState())
    return page_request.go_on()
