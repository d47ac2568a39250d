"""Authlib's authorization server, fed with our calls: it dispatches grants and speaks OAuth's errors.

Grants of our own table are called by :meth:`PoolServer.answer`, without its frame round a request.

One a process, without state: the pool is found from the call, everything that is issued or spent is the services'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, UnsupportedGrantTypeError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from identity.foundation.call import Answer
from pools.oidc import client_authentication, endpoints, errors
from pools.services.pools import openid

if TYPE_CHECKING:
    from identity.foundation.call import Call
    from pools.models import AppClient, UserPool

# Authlib refuses plain http by the address it is told. Which transport is safe is decided by configuration and proxy.
ADDRESS = "https://endpoint.invalid/"


@dataclass(slots=True)
class TokenRequest:
    """What was sent: all that our grants need of Authlib's request."""

    call: Call
    pool: UserPool
    posted: Mapping[str, str]
    client: AppClient | None = None


class PoolRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """What was sent, on its way through Authlib: by form, and by query from libraries that speak so to Cognito."""

    def __init__(self, call: Call, pool: UserPool, posted: Mapping[str, str]) -> None:
        """Keep what was read of it."""
        super().__init__(call.method, ADDRESS, headers=dict(call.headers))
        self.call = call
        self.pool = pool
        self.posted = posted
        self.payload = BasicOAuth2Payload(self.posted)

    @property
    def form(self) -> Mapping[str, str]:
        """Return what was sent."""
        return self.posted


class PoolServer(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's server over :class:`PoolRequest` and :class:`Answer`."""

    def create_oauth2_request(self, request: PoolRequest) -> PoolRequest:
        """Return the request: it was made by the endpoint."""
        return request

    def answer(self, grant: Callable[[TokenRequest, PoolServer], Any], request: TokenRequest) -> Answer:
        """Answer by a grant, as :meth:`create_token_response` would once it found it; refusals are raised."""
        asked = grant(request, self)
        asked.validate_token_request()
        return self.handle_response(*asked.create_token_response())

    def authenticate_client(
        self, request: PoolRequest | TokenRequest, methods: object, endpoint: str = "token"
    ) -> AppClient:
        """Return the client that proved itself. Each method is open to each kind of client that can use it."""
        del methods, endpoint
        client = client_authentication.authenticate(request.call, request.pool, request.posted)
        request.client = client
        if request.call.query and not openid.rules(client).takes_query:
            raise errors.refusal("invalid_request", endpoints.IN_BODY)
        return client

    def get_token_grant(self, request: PoolRequest) -> Any:  # noqa: ANN401 - Authlib has no types
        """Return the grant that was asked for; asking for none is a malformed request."""
        if not request.payload.grant_type:
            raise errors.refusal("invalid_request", "The parameter grant_type is missing.")
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError:
            # Authlib's own text repeats what was sent.
            raise errors.refusal("unsupported_grant_type", "The grant_type is not supported.") from None

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:  # noqa: ANN401
        """Return what a grant made."""
        return Answer.json(body, status=status, headers={name.lower(): value for name, value in headers})

    def handle_error_response(self, request: PoolRequest, error: Any) -> Answer:  # noqa: ANN401
        """Return a refusal."""
        del request
        return errors.answer_to_refusal(error)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody: audit is the services'."""
