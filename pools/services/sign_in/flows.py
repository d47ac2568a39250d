"""Which ways of signing in an app client has, and what each begins with: the one place that says whether a flow is on.

An operator's call and anyone's differ in the flows that they may name. The hosted pages need no flow switched on.
"""

from __future__ import annotations

from dataclasses import dataclass

from identity.foundation.errors import FlowNotEnabled, Invalid, NotAvailable
from pools.models import AppClient
from pools.services import triggers
from pools.services.pools import app_clients
from pools.services.sign_in.attempt import Challenge, EndsIn

ALLOWED_BY = {
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
    "CUSTOM_AUTH": "ALLOW_CUSTOM_AUTH",
    "USER_AUTH": "ALLOW_USER_AUTH",
}
BEGINS_WITH = {
    "USER_PASSWORD_AUTH": Challenge.PASSWORD,
    "ADMIN_USER_PASSWORD_AUTH": Challenge.PASSWORD,
    "ADMIN_NO_SRP_AUTH": Challenge.PASSWORD,
    "USER_SRP_AUTH": Challenge.PASSWORD_VERIFIER,
}
"""The first factor of each flow that this release signs in by."""
OF_OPERATORS = frozenset({"ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"})
OF_ANYONE = frozenset({"USER_PASSWORD_AUTH"})


@dataclass(frozen=True, slots=True)
class OpenFlow:
    """A way in that is open: made here alone, so that nobody begins by a flow that is off."""

    client: AppClient
    first: Challenge
    ends_in: EndsIn


def check(client: AppClient, flow: str, *, admin: bool = False) -> None:
    """Refuse a flow that the client has not, or that is not for who asks.

    Raises:
        FlowNotEnabled: the client may not sign people in so.
        Invalid: operators alone may, or all but they.

    """
    if flow in (OF_ANYONE if admin else OF_OPERATORS):
        raise Invalid("Initiate Auth method not supported.")
    if ALLOWED_BY[flow] in app_clients.effective_flows(client):
        return
    if flow == "CUSTOM_AUTH":
        raise FlowNotEnabled("CUSTOM_AUTH is not enabled for the client.")
    which = "Auth" if admin else flow
    raise FlowNotEnabled(f"{which} flow not enabled for this client")


def by_api(client: AppClient, flow: str, *, admin: bool = False) -> OpenFlow:
    """Return the way into tokens by a flow, if it is open.

    Raises:
        FlowNotEnabled, Invalid: as :func:`check` says.
        NotAvailable: a flow that this release has not.
        TriggerUnavailable: one whose challenges are the pool's own.

    """
    check(client, flow, admin=admin)
    if flow == "CUSTOM_AUTH":
        triggers.check(client.pool, *triggers.OF_CUSTOM_CHALLENGES)
    if flow not in BEGINS_WITH:
        raise NotAvailable(f"{flow} is not available in this release.")
    return OpenFlow(client, BEGINS_WITH[flow], EndsIn.TOKENS)


def by_pages(client: AppClient) -> OpenFlow:
    """Return the way into a browser's session, by password."""
    return OpenFlow(client, Challenge.PASSWORD, EndsIn.BROWSER)
