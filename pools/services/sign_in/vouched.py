"""An identity provider's word for somebody, as a proof of signing in. Who they are here was found before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pools.models import AppClient
from pools.models.hot import Credentials
from pools.services import assurance
from pools.services.sign_in.attempt import TOLD, TOLD_AT, Attempt, Challenge, EndsIn, moment

LONGEST, MOST = 12, 8
"""Of the words that a provider says: characters of each, as the column of tokens has room for, and how many are kept.

RFC 8176's own have six at most."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for, and what it says of how and when they proved it."""

    user_id: UUID
    provider: str
    """Whose word it is, by its name in the pool."""
    methods: Sequence[str] = ()
    """In words of RFC 8176."""
    level: int = 1
    """The pool's level of assurance that the provider's word stands for."""
    authenticated_at: datetime | None = None
    session: str = field(default="", kw_only=True)
    """The id of what is kept of the session there; empty where nothing is."""
    asks_second_factor: bool = field(default=False, kw_only=True)
    """Whether the pool's rule of second factors holds all the same."""

    @property
    def evidence(self) -> str:
        """Return what it is as a proof."""
        return "upstream_first" if self.asks_second_factor else "upstream"

    @property
    def told(self) -> dict[str, Any]:
        """Return what it says beside who they are, as an attempt keeps it."""
        words = [f"{assurance.TOLD}{word}" for word in self.methods if len(word) <= LONGEST][:MOST]
        kept: dict[str, Any] = {
            TOLD: [
                *words,
                f"{assurance.LEVEL}{self.level}",
                f"{assurance.BY}{self.provider}",
                *([f"{assurance.SESSION}{self.session}"] if self.session else []),
            ]
        }
        return kept | ({TOLD_AT: self.authenticated_at.timestamp()} if self.authenticated_at else {})

    def attempt(self, client: AppClient, found: Credentials) -> Attempt:
        """Return the attempt of who was found, with what the provider says."""
        return Attempt(
            client,
            self.user_id,
            None,
            (),
            EndsIn.BROWSER,
            Challenge.UPSTREAM,
            name=found.username or "",
            evidence=self.told,
            password_changed=moment(found.password_changed_at),
            credentials_if_due=found,
        )
