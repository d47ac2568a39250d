"""Where the machine's answer leads: to the page of what it still asks, or on with a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from identity.foundation import errors
from pools.services.codes import Purpose
from pools.services.sign_in import factors
from pools.services.sign_in.machine import Challenge, Challenged, SignedIn
from pools.services.tokens import participants, sessions
from pools.web import factor_set_ups, resend_wait
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


def state_for_factor(page_request: PageRequest, outcome: Challenged, username: str) -> PageState:
    """Return the state of the page that asks for a second factor's code; of one that was sent now, where and when."""
    page_state = replace(
        state_for_challenge(page_request, outcome, username),
        kinds=[str(kind) for kind in outcome.parameters["others"]],
        codes_asked_at=page_request.page_state.codes_asked_at,
    )
    if not factors.named(outcome.challenge).sends_code:
        return page_state
    code_request = resend_wait.after_sending(page_request.page_state, username, Purpose.SECOND_FACTOR)
    return resend_wait.keep(replace(page_state, sent_to=outcome.parameters["destination"]), code_request)


def state_for_factor_choice(page_request: PageRequest, outcome: Challenged, username: str) -> PageState:
    """Return the page state of somebody who chooses between their second factors."""
    kinds = [str(kind) for kind in outcome.parameters["can_choose"]]
    return replace(state_for_challenge(page_request, outcome, username), kinds=kinds)


def begin_factor_setup(page_request: PageRequest, outcome: Challenged, username: str) -> PageState:
    """Begin to set up the factor that the pool lets people have, if it is one; of several, one is chosen first."""
    page_state = state_for_challenge(page_request, outcome, username)
    kinds = outcome.parameters["can_set_up"]
    if len(kinds) > 1:
        return page_state
    return factor_set_ups.begin(
        page_state, kinds[0], factor_set_ups.within_sign_in(page_request, outcome.attempt_token)
    )


def offer_factors(page_request: PageRequest, outcome: SignedIn, username: str) -> PageState:
    """Return the page state of somebody who may set up a second factor; begin where that is one and sends nothing."""
    offered = factors.open_in(page_request.pool)
    page_state = PageState(username=username, kinds=[factor.kind for factor in offered])
    if len(offered) > 1:
        return page_state
    if offered[0].sends_code:
        return replace(page_state, factor=offered[0].kind)
    enrol = factor_set_ups.of_person(page_request, outcome.person, by=page_request.by_user(outcome))
    return factor_set_ups.begin(page_state, offered[0].kind, enrol)


class ChallengePage(NamedTuple):
    """The page that asks for a challenge of the machine, and how a browser comes to it."""

    name: str
    enter: Callable[[PageRequest, Challenged, str], PageState]


PAGES: dict[str, ChallengePage] = {
    **{factor.kind: ChallengePage(factor.kind, state_for_factor) for factor in factors.FACTORS},
    Challenge.FACTOR_CHOICE: ChallengePage("factor_choice", state_for_factor_choice),
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
    may_set_up = pool.mfa == pool.Mfa.OPTIONAL and not person.factors and factors.open_in(pool)
    if is_fresh and may_set_up:
        return page_request.go("factor_setup", offer_factors(page_request, outcome, username))
    page_request.browser.keep(PageState())
    return page_request.go_on()
