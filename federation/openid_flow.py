"""Signing in by an ID token (OpenID Connect Core 3.1): what OpenID Connect adds to a code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from federation.code_flow import CodeFlow, Trip
from federation.details import Details
from federation.id_tokens import PROOFS, Expected, moment, verify_id_token
from pools.ports import ExternalIdentity

MOST_METHODS = 20
LONGEST_WORD = 255


class OpenIdFlow(CodeFlow):
    """A kind of provider whose ID tokens say who somebody is."""

    has_nonce: ClassVar[bool] = True

    def identify(self, trip: Trip) -> ExternalIdentity:
        """Return whom the ID token is about. How and when they proved it, it alone says: that is signed."""
        details = trip.details
        expected = Expected(
            self.issuers(details), details["client_id"], trip.nonce, access_token=trip.tokens.access_token
        )
        claims = verify_id_token(trip.tokens.id_token, expected, jwks_uri=self.place(self.jwks_uri(details)))
        told = {**claims, **self.more_claims(trip, claims)}
        return ExternalIdentity(
            claims["sub"],
            {name: value for name, value in told.items() if name not in PROOFS},
            authenticated_at=read_moment(claims.get("auth_time")),
            methods=read_methods(claims.get("amr")),
            acr=read_word(claims.get("acr")),
        )

    def scope(self, details: Details) -> str:
        """Return the scopes; without ``openid`` no provider need answer with an ID token."""
        given = details["authorize_scopes"]
        return given if "openid" in given.split() else f"openid {given}"

    @abstractmethod
    def jwks_uri(self, details: Details) -> str:
        """Return where the provider's keys are."""

    def more_claims(self, trip: Trip, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is told beside the ID token, which it outdoes."""
        del trip, claims
        return {}


def read_moment(value: object) -> datetime | None:
    """Return the moment that a claim names; None for what is none."""
    seconds = moment(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def read_methods(value: object) -> tuple[str, ...]:
    """Return the words of an ``amr``."""
    return tuple(filter(None, map(read_word, value[:MOST_METHODS]))) if isinstance(value, list) else ()


def read_word(value: object) -> str:
    """Return a claim that is a word; empty for what is none."""
    return value if isinstance(value, str) and len(value) <= LONGEST_WORD else ""
