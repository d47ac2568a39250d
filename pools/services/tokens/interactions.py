"""What a browser came for, and where it goes on once nothing stands between: decided here alone, by one table.

A request that only passes through our own pages stays in their URL and needs no row; no page looks
into it to find out where to go. One that must survive a trip elsewhere is a row: kept under an id, single use, bound to
a browser. Neither is checked here: whoever serves the URL name checks all of it again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from identity.foundation import clock, sealing
from identity.foundation.errors import InteractionExpired
from identity.foundation.names import uuid7
from pools.models import Interaction, UserPool


class Kind(StrEnum):
    """What a browser came for."""

    OAUTH_REQUEST = "oauth_request"
    LOGOUT = "logout"
    ACCOUNT = "account"
    ACCOUNT_MFA = "account_mfa"
    ACCOUNT_PASSWORD = "account_password"  # noqa: S105 - a page
    TRIP = "trip"
    """To an identity provider, and back."""
    DEPARTURE = "departure"
    """A form that leads to an identity provider which takes no redirect."""
    LANDING = "landing"
    """An answer of a provider's that came by a form of its page, on its way to the browser's own request for it."""
    UNASKED = "unasked"
    """Somebody whom a provider sent by itself, on the way to the browser's own request for its answer."""
    ARRIVAL = "arrival"
    """Somebody came from a provider, and it is not known yet whose account they have."""
    LEAVING = "leaving"
    """Somebody who was signed out on a page whose forms lead to no other site, on the way to one."""
    SAML_REQUEST = "saml_request"
    """What an application asks the pool as its identity provider."""
    SAML_LOGOUT = "saml_logout"
    """An application that is being told that a browser's session is over."""
    TRIAL = "trial"
    """To an identity provider and back, by which an operator sees what it tells: nobody is signed in by it."""


RESUMES_AT: dict[Kind, str] = {
    Kind.OAUTH_REQUEST: "oidc:authorize",
    Kind.LOGOUT: "oidc:logout",
    Kind.ACCOUNT: "hosted:account",
    Kind.ACCOUNT_MFA: "hosted:account_mfa",
    Kind.ACCOUNT_PASSWORD: "hosted:account_password",
    Kind.TRIP: "hosted:provider_answer",
    Kind.DEPARTURE: "hosted:provider_form",
    Kind.LANDING: "hosted:provider_answer",
    Kind.UNASKED: "hosted:saml_answer",
    Kind.ARRIVAL: "hosted:join",
    Kind.LEAVING: "hosted:signed_out",
    Kind.SAML_REQUEST: "hosted:saml_request",
    Kind.SAML_LOGOUT: "hosted:saml_slo",
    Kind.TRIAL: "hosted:provider_answer",
}
"""The URL name at which each goes on."""
RESUME = "resume"
"""Our own parameter, by which a page that needs a sign-in first says that it is the one to come back to."""
RESUMABLE = frozenset({Kind.ACCOUNT_MFA, Kind.ACCOUNT_PASSWORD, Kind.ARRIVAL, Kind.SAML_REQUEST})
SINGLE = ("client_id", "redirect_uri", "response_type")
"""Parameters that our pages read, so that each comes once."""
SIGNED_IN_SINCE = "signed_in_since"
"""Our own parameter on the way to the login page and back: the request was here at this moment, sealed."""
CONSENTED = "consented"
"""Our own parameter on the way back from the page that asks for consent: the answer, sealed."""
OF_ONE_PAGE = frozenset({"code", "user_name", "confirmation_code", "error", "change"})
"""What a link to one of our pages says, which is not carried to the next."""
OURS = OF_ONE_PAGE | {SIGNED_IN_SINCE, CONSENTED}
"""Parameters that no application sends."""
CARRIED = 6000
"""How long a query our pages carry from one to the next."""
ASKS_AGAIN = frozenset({"login", "select_account"})
"""Prompts for which no session of before is good enough."""


def of_application(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return what an application asked, as our pages carry it: without what is ours."""
    return {name: value for name, value in parameters.items() if name not in OURS}


def kind_of(parameters: Mapping[str, str]) -> Kind:
    """Return what a browser came for, which a sign-in stands before, by the parameters that our pages carry."""
    if "response_type" in parameters:
        return Kind.OAUTH_REQUEST
    named = parameters.get(RESUME, "")
    return Kind(named) if named in RESUMABLE else Kind.ACCOUNT


def parameters_of(kind: Kind) -> dict[str, str]:
    """Return the parameters that say to the login pages which page of ours to come back to."""
    return {RESUME: str(kind)} if kind in RESUMABLE else {}


def needs_new_sign_in(parameters: Mapping[str, str]) -> bool:
    """Say whether a session that is there already is not enough."""
    return not {"max_age", SIGNED_IN_SINCE, RESUME}.isdisjoint(parameters)


def is_for_anybody(parameters: Mapping[str, str]) -> bool:
    """Say whether somebody without an account may have come for it: for an app, not for a page of an account's own."""
    return parameters.get(RESUME, Kind.SAML_REQUEST) == Kind.SAML_REQUEST


def is_to_be_noted(parameters: Mapping[str, str]) -> bool:
    """Say whether a request that wants a new sign-in came to the login page at once: where it resumes, it is noted."""
    asks = "max_age" in parameters or not ASKS_AGAIN.isdisjoint(parameters.get("prompt", "").split())
    return asks and kind_of(parameters) is Kind.OAUTH_REQUEST and SIGNED_IN_SINCE not in parameters


def begin(
    pool: UserPool,
    kind: Kind,
    request: dict[str, Any],
    *,
    browser: str,
    minutes: int = 20,
    interaction_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Keep a request for the browser that holds this secret; return its id. Where it resumes, its kind says.

    Whoever tells the id to others before the request is known gives one of :func:`new_id`.
    """
    row = Interaction(
        id=interaction_id or new_id(),
        pool_id=pool.pk,
        kind=kind,
        request=request,
        browser=sealing.keyed_hash("interaction", browser),
        resume=RESUMES_AT[kind],
        expires_at=clock.now() + timedelta(minutes=minutes),
    )
    row.save(force_insert=True)
    return row.id


def new_id() -> uuid.UUID:
    """Return an id for an interaction that is kept later."""
    return uuid7()


def require_live(pool: UserPool, interaction_id: uuid.UUID, *, kind: Kind) -> Interaction:
    """Return an interaction that waits, whichever browser's it is: what it keeps is not that browser's to see.

    Raises:
        InteractionExpired: unknown, spent or late.

    """
    rows = Interaction.objects.filter(pool_id=pool.pk, pk=interaction_id, kind=kind, consumed_at=None)
    found = rows.filter(expires_at__gt=clock.now()).first()
    if found is None:
        raise InteractionExpired
    return found


def peek(pool: UserPool, interaction_id: uuid.UUID | str, *, kind: Kind, browser: str) -> Interaction:
    """Return a live interaction of this pool, kind and browser, without spending it.

    Raises:
        InteractionExpired: unknown, spent, late, or another browser's.

    """
    try:
        key = uuid.UUID(str(interaction_id))
    except ValueError:
        raise InteractionExpired from None
    found = Interaction.objects.filter(pool_id=pool.pk, pk=key, kind=kind, consumed_at=None).first()
    if found is None or found.expires_at <= clock.now() or not sealing.matches("interaction", browser, found.browser):
        raise InteractionExpired
    return found


def recall(pool: UserPool, interaction_id: uuid.UUID | str, *, kind: Kind, browser: str) -> Interaction | None:
    """Return an interaction that this browser began, spent and late ones too: good for telling what it came for."""
    try:
        key = uuid.UUID(str(interaction_id))
    except ValueError:
        return None
    found = Interaction.objects.filter(pool_id=pool.pk, pk=key, kind=kind).first()
    return found if found is not None and sealing.matches("interaction", browser, found.browser) else None


def take(pool: UserPool, interaction_id: uuid.UUID | str, *, kind: Kind, browser: str) -> Interaction:
    """Spend an interaction by one conditional statement, and return it.

    Raises:
        InteractionExpired: as :func:`peek`, or a duplicate was faster.

    """
    found = peek(pool, interaction_id, kind=kind, browser=browser)
    if (refusal := spend(found)) is not None:
        raise refusal
    return found


def spend(found: Interaction) -> InteractionExpired | None:
    """Spend an interaction by one conditional statement; return the slower duplicate's refusal."""
    unspent = Interaction.objects.filter(pool_id=found.pool_id, pk=found.pk, consumed_at=None)
    return None if unspent.update(consumed_at=clock.now()) == 1 else InteractionExpired()
