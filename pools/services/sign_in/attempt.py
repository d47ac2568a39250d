"""One sign-in under way: who, through which client, for what, by which proofs. Steps read it, the machine moves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.models import AppClient, UserPool
from pools.models.hot import Member, Person, Standing


class Want(StrEnum):
    """What a sign-in ends in."""

    TOKENS = "tokens"
    BROWSER = "browser"


class Challenge(StrEnum):
    """What may still be asked after the first proof."""

    NEW_PASSWORD = "new_password"  # noqa: S105 - a step
    FACTOR_SETUP = "factor_setup"
    TOTP = "totp"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in with at least its first proof. ``evidence`` says what was proven, and when, as epoch seconds."""

    client: AppClient
    person: Person
    groups: tuple[Member, ...]
    want: Want
    evidence: Mapping[str, Any] = field(default_factory=dict)
    password_changed: str = ""
    """When the password that was proven was set: a session does not outlive it."""
    standing: Standing | None = None
    """The row, once there is one."""

    @property
    def pool(self) -> UserPool:
        """Return the pool."""
        return self.client.pool

    def proven(self, what: str) -> bool:
        """Say whether a proof was recorded."""
        return what in self.evidence


def no_write() -> DomainError | None:
    """Write nothing: the proof has no effect beyond itself."""
    return None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A right answer. ``write`` runs in the transaction that spends the step, and returns a refusal or None."""

    evidence: str
    write: Callable[[], DomainError | None] = no_write
    changes_person: bool = False


class Step(Protocol):
    """What stands between an attempt and its end."""

    challenge: Challenge

    def applies(self, attempt: Attempt) -> bool:
        """Say whether this step still stands in the way."""

    def offer(self, attempt: Attempt) -> dict[str, Any]:
        """Return what the adapter needs to ask."""

    def check(self, attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
        """Look at an answer, outside any transaction; raise a domain error for a wrong one."""
