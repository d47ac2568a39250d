"""POST /oauth2/token: each grant reads its parameters, asks one service, and says what was issued.

A code or refresh token is spent in ``services.tokens``, by one statement; nothing here decides about it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN
from prometheus_client import Counter

from identity.foundation import limits
from identity.foundation.actor import Actor
from identity.foundation.call import Answer, Call
from identity.foundation.errors import DomainError, Overloaded
from pools.oidc import endpoints, errors
from pools.oidc.endpoints import endpoint
from pools.oidc.server import PoolRequest, PoolServer, TokenRequest
from pools.services.pools import resource_servers
from pools.services.tokens import authorization_codes, issue, refresh

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool
    from pools.services.tokens.issue import TokenSet

ISSUED = Counter("cognate_oauth_tokens_total", "Answers of the token endpoint.", ["grant", "outcome"])
# Looking labels up takes longer than counting.
answers = cache(ISSUED.labels)
# A client that is refused this often in a minute from one address is broken or guessing. What succeeds costs no count.
REFUSALS, WINDOW = 600, 60

Granted = tuple[int, dict[str, Any], list[tuple[str, str]]]


class PoolGrant:
    """What the grants share: authenticate the client, then look whether it may use the grant."""

    GRANT_TYPE: ClassVar[str]
    FLOW: ClassVar[str]
    request: PoolRequest | TokenRequest
    server: PoolServer

    def validate_token_request(self) -> None:
        """Authenticate the client and see that it may use this grant."""
        client = self.server.authenticate_client(self.request, None)
        if not client.oauth_enabled or self.FLOW not in client.oauth_flows:
            raise errors.refusal("unauthorized_client", "The client may not use this grant.")

    def create_token_response(self) -> Granted:
        """Return what the service issued."""
        client = cast("AppClient", self.request.client)  # it was authenticated above
        by = Actor.client(client.client_id, address=self.request.call.address, request_id=self.request.call.request_id)
        issued = self.issue(client, by)
        return 200, body_of(issued), [("pragma", "no-cache")]

    def issue(self, client: AppClient, by: Actor) -> TokenSet:
        """Ask the service."""
        raise NotImplementedError

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        value: str | None = self.request.posted.get(name)
        if value is None:
            raise errors.refusal("invalid_request", f"The parameter {name} is missing.")
        return value

    def scopes(self, client: AppClient) -> tuple[str, ...]:
        """Return the scopes that were asked for, all of them the client's."""
        asked = tuple(dict.fromkeys(self.request.posted.get("scope", "").split()))
        if not set(asked) <= set(resource_servers.granted_scopes(client)):
            raise errors.refusal("invalid_scope", "A scope is not known or not allowed.")
        return asked


class CodeGrant(PoolGrant, grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """A code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""

    FLOW = "code"

    def issue(self, client: AppClient, by: Actor) -> TokenSet:
        """Redeem the code."""
        verifier = self.request.posted.get("code_verifier")
        if verifier is not None and not CODE_VERIFIER_PATTERN.fullmatch(verifier):
            raise errors.refusal("invalid_request", "The code_verifier is malformed.")
        return authorization_codes.redeem(
            client, self.required("code"), redirect_uri=self.required("redirect_uri"), verifier=verifier, by=by
        )


class RefreshGrant(PoolGrant, grants.RefreshTokenGrant):  # type: ignore[misc]
    """A refresh token for new tokens (RFC 6749 section 6), with the scopes of its sign-in, which the answer says."""

    FLOW = "code"

    def validate_token_request(self) -> None:
        """Authenticate the client: refresh tokens come from API sign-ins too, which need no OAuth flow."""
        self.server.authenticate_client(self.request, None)

    def issue(self, client: AppClient, by: Actor) -> TokenSet:
        """Refresh."""
        self.scopes(client)
        return refresh.refresh(client, self.required("refresh_token"), by=by)


class MachineGrant(PoolGrant, grants.ClientCredentialsGrant):  # type: ignore[misc]
    """A client's own token (RFC 6749 section 4.4); without scopes asked for, all it has."""

    FLOW = "client_credentials"

    def issue(self, client: AppClient, by: Actor) -> TokenSet:
        """Issue to the client itself."""
        del by
        if not client.confidential:
            raise errors.refusal("unauthorized_client", "The client has no secret.")
        return issue.client_credentials(client, self.own(client))

    def own(self, client: AppClient) -> tuple[str, ...]:
        """Return the scopes to issue: of resource servers only, since there is no person for the others."""
        asked = self.scopes(client)
        found = asked or tuple(scope for scope in resource_servers.granted_scopes(client) if "/" in scope)
        if not found or not all("/" in scope for scope in found):
            raise errors.refusal("invalid_scope", "A scope is not known or not allowed.")
        return found


GRANTS: dict[str, type[PoolGrant]] = {grant.GRANT_TYPE: grant for grant in (CodeGrant, RefreshGrant, MachineGrant)}


@lru_cache(maxsize=1)
def the_server() -> PoolServer:
    """Return this process's server."""
    server = PoolServer()
    for grant in GRANTS.values():
        server.register_grant(grant)
    return server


def body_of(issued: TokenSet) -> dict[str, Any]:
    """Return the answer's members. ``scope`` is said always, as RFC 6749 section 5.1 wants where it may differ."""
    body: dict[str, Any] = {"access_token": issued.access, "expires_in": issued.expires_in, "token_type": "Bearer"}
    if issued.id is not None:
        body["id_token"] = issued.id
    if issued.refresh is not None:
        body["refresh_token"] = issued.refresh
    if issued.scopes:
        body["scope"] = " ".join(issued.scopes)
    return body


@endpoint("POST")
def token(call: Call, pool: UserPool) -> Answer:
    """RFC 6749 section 3.2."""
    grant = "none"
    try:
        posted = endpoints.form(call, query=True)
        grant = known(posted.get("grant_type", ""))
        if grant in GRANTS:
            answer = the_server().answer(GRANTS[grant], TokenRequest(call, pool, posted))
        else:
            answer = the_server().create_token_response(PoolRequest(call, pool, posted))
    except (OAuth2Error, DomainError):
        answers(grant, "refused").inc()
        refused_once_more(call, pool)
        raise
    issued = answer.status == HTTPStatus.OK
    answers(grant, "issued" if issued else "refused").inc()
    if not issued:
        refused_once_more(call, pool)
    return answer


def known(grant: str) -> str:
    """Return the grant's name if it is one of ours: a metric's label must not be what anybody sends."""
    return grant if grant in GRANTS else "other"


def refused_once_more(call: Call, pool: UserPool) -> None:
    """Count a refusal.

    Raises:
        Overloaded: too many of them from this address; the next ones are told to wait.

    """
    if not limits.take("oauth_refused", f"{pool.public_id}:{call.address}", limit=REFUSALS, window=WINDOW):
        raise Overloaded(retry_after=WINDOW, detail="refused too often")
