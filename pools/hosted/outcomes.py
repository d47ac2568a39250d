"""Where the machine's answer leads: to the page of what it still asks, or on with a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation import errors
from pools.hosted.browser import FRESH, Step
from pools.services.sign_in import factors, machine
from pools.services.sign_in.machine import Challenge, Challenged, SignedIn
from pools.services.tokens import sessions

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.hosted.visit import Visit


def proceed(visit: Visit, outcome: Challenged | SignedIn, *, username: str) -> HttpResponse:
    """Go where the machine's answer leads: to the page of its challenge, or on with a session."""
    if isinstance(outcome, SignedIn):
        return signed_in(visit, outcome, username=username)
    if outcome.challenge is Challenge.TOTP:
        return visit.go("totp", Step(username=username, challenge=outcome.challenge, session=outcome.session))
    if outcome.challenge is Challenge.NEW_PASSWORD:
        required = [str(name) for name in outcome.parameters.get("required", [])]
        step = Step(username=username, challenge=outcome.challenge, session=outcome.session, required=required)
        return visit.go("new_password", step)
    secret, session = machine.associate(visit.app, outcome.session, by=visit.by)
    step = Step(username=username, challenge=outcome.challenge, session=session, secret=secret)
    return visit.go("totp_setup", step)


def signed_in(visit: Visit, outcome: SignedIn, *, username: str) -> HttpResponse:
    """Take the session, and go on; right after its confirmation an account is offered a second factor once."""
    opened = outcome.browser
    if opened is None:
        raise errors.Misuse("the pages ask the machine for a browser session")
    is_fresh = visit.step.account == FRESH
    before = visit.browser.held()
    if before is not None:
        # Whoever has a copy of the old cookie has nothing: the session changes with every new proof.
        sessions.end(visit.pool, before, by=visit.by_user(before))
    visit.browser.open(opened)
    offer = is_fresh and visit.pool.totp_enabled and visit.pool.mfa == visit.pool.Mfa.OPTIONAL
    if offer and not factors.has_totp(visit.pool, outcome.user):
        secret = factors.associate(visit.pool, outcome.user, by=visit.by_user(outcome))
        return visit.go("totp_setup", Step(username=username, secret=secret))
    visit.browser.keep(Step())
    return visit.onward()
