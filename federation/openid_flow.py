"""Signing in by an ID token (OpenID Connect Core 3.1): what OpenID Connect adds to a code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from federation import claims as read
from federation import provider_keys
from federation.code_flow import CodeFlow, Trip
from federation.details import Details
from federation.id_tokens import PROOFS, Expected, verify_id_token
from federation.published import Published
from pools.ports import ExternalIdentity


class OpenIdFlow(CodeFlow):
    """A kind of provider whose ID tokens say who somebody is."""

    has_nonce: ClassVar[bool] = True

    def identify(self, trip: Trip) -> ExternalIdentity:
        """Return whom the ID token is about. How and when they proved it, it alone says: that is signed."""
        details = trip.details
        expected = Expected(
            self.issuers(details), details["client_id"], trip.nonce, access_token=trip.tokens.access_token
        )
        claims = verify_id_token(trip.tokens.id_token, expected, jwks_uri=self.address(self.jwks_uri(details)))
        told = {**claims, **self.more_claims(trip, claims)}
        return ExternalIdentity(
            claims["sub"],
            {name: value for name, value in told.items() if name not in PROOFS},
            authenticated_at=read.moment(claims.get("auth_time")),
            methods=read.words(claims.get("amr")),
            acr=read.word(claims.get("acr")),
        )

    def scope(self, details: Details) -> str:
        """Return the scopes; without ``openid`` no provider need answer with an ID token."""
        given = details["authorize_scopes"]
        return given if "openid" in given.split() else f"openid {given}"

    def published(self, details: Details) -> Iterator[tuple[str, str, Published[Any]]]:
        """Yield the provider's keys."""
        yield "keys", self.place(self.jwks_uri(details)), provider_keys.documents

    @abstractmethod
    def jwks_uri(self, details: Details) -> str:
        """Return where the provider's keys are."""

    @abstractmethod
    def more_claims(self, trip: Trip, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is told beside what is known of the ID token, which it outdoes. Raises as :meth:`finish`."""
