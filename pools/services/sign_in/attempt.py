"""One sign-in under way: who, through which client, for what, by which proofs. Steps read it, the machine moves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused, DomainError
from pools.models import AppClient, UserPool
from pools.models.hot import AttemptRow, Credentials, Person, UserGroup
from pools.services import assurance
from pools.services.sign_in.factors import FACTORS


class EndsIn(StrEnum):
    """What a sign-in ends in."""

    TOKENS = "tokens"
    BROWSER = "browser"


class Challenge(StrEnum):
    """What may be asked on the way. A second factor is asked for by its kind (``factors``)."""

    PASSWORD = "password"  # noqa: S105 - a step
    PASSWORD_VERIFIER = "password_verifier"  # noqa: S105 - a step
    NEW_PASSWORD = "new_password"  # noqa: S105 - a step
    FACTOR_SETUP = "factor_setup"
    FACTOR_CHOICE = "factor_choice"
    UPSTREAM = "upstream"
    """Asked by nobody here: an identity provider has vouched."""


METHODS = {
    "password": assurance.PASSWORD,
    "upstream": assurance.UPSTREAM,
    "upstream_first": assurance.UPSTREAM_FIRST,
    **{factor.kind: factor.method for factor in FACTORS},
}
"""The methods of recorded proofs. What is none of them was done on the way, and proves nothing."""


CHOSEN = "chosen_factor"
"""Evidence of which second factor was chosen, where somebody has several: its kind."""
TOLD, TOLD_AT = "upstream_told", "upstream_at"
"""Evidence of what a provider says beside who somebody is: how (``assurance.TOLD``, ``LEVEL``), and when."""
LAST_OF_SECOND = 0.999


class Carried(NamedTuple):
    """What a sealed attempt carries for its first factor. Its id is spent once it succeeds."""

    id: UUID
    secret_block: str
    """The sealed string itself, in the spelling that a client signs."""
    username_digest: bytes
    private: bytes
    """What the first factor's step sealed into it (``Offer``)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in of a person, or of a decoy that takes the same path. ``evidence`` says what was proven, and when.

    Before the first proof it is sealed into a string that the client carries; after it, it is a row.
    """

    client: AppClient
    subject: UUID
    """The id of the person or of the decoy: what guesses are counted by."""
    person_if_known: Person | None
    """Read once a first proof was right; None for a decoy, and who was deleted."""
    groups: tuple[UserGroup, ...]
    ends_in: EndsIn
    first: Challenge
    """The first factor that was chosen."""
    name: str = ""
    """The internal username, a decoy's like anyone's, where the sign-in began with a name."""
    initial_answers: Mapping[str, Any] = field(default_factory=dict)
    """What the call that began it brought along."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    password_changed: str = ""
    """When the password that was proven was set: a session does not outlive it."""
    credentials_if_due: Credentials | None = None
    """What a first proof is checked against, before it was given."""
    carried: Carried | None = None
    """What came sealed, before there is a row."""
    row: AttemptRow | None = None
    """The row, once there is one."""

    @property
    def pool(self) -> UserPool:
        """Return the pool."""
        return self.client.pool

    @property
    def person(self) -> Person:
        """Return the person.

        Raises:
            AttemptTokenRefused: a decoy gets past no first factor, and no longer who was deleted.

        """
        if self.person_if_known is None:
            raise AttemptTokenRefused(detail="nobody")
        return self.person_if_known

    @property
    def credentials(self) -> Credentials:
        """Return what a first proof is checked against.

        Raises:
            AttemptTokenRefused: the first proof was given already.

        """
        if self.credentials_if_due is None:
            raise AttemptTokenRefused(detail="no first proof is due")
        return self.credentials_if_due

    @property
    def stored_row(self) -> AttemptRow:
        """Return the row.

        Raises:
            AttemptTokenRefused: there is none yet.

        """
        if self.row is None:
            raise AttemptTokenRefused
        return self.row

    @property
    def methods(self) -> list[str]:
        """Return the methods of what was proven, in order: what ``assurance`` knows proofs by."""
        own = dict.fromkeys(METHODS[name] for name in self.evidence if name in METHODS)
        return [*own, *self.evidence.get(TOLD, ())]

    @property
    def authenticated_at(self) -> datetime:
        """Return when the person has proven who they are: where a provider says when, then, else now."""
        told, now = self.evidence.get(TOLD_AT), clock.now()
        if not told:
            return now
        # Whole seconds, which most providers tell, may mean any moment of that second: if its first were meant, who
        # signs in within the second in which an app asks for it would not have done so since.
        latest = told + LAST_OF_SECOND if told == int(told) else told
        return min(now, datetime.fromtimestamp(latest, UTC))

    def proven(self, what: str) -> bool:
        """Say whether a proof was recorded."""
        return what in self.evidence


def moment(when: datetime | None) -> str:
    """Return a moment as evidence keeps it."""
    return when.isoformat() if when else ""


def no_write() -> DomainError | None:
    """Write nothing: the proof has no effect beyond itself."""
    return None


def nothing_to_issue(attempt: Attempt, *, by: Actor) -> DomainError | None:
    """Enter a step that asks for what the person has already."""
    del attempt, by
    return None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A right answer. ``write`` runs in the transaction that spends the step, and returns a refusal or None."""

    evidence: str
    write: Callable[[], DomainError | None] = no_write
    changes_person: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    """What is recorded beside, and proves nothing."""
    password_changed: str = ""
    """When ``write`` sets another password, in place of the one that was proven."""
    only_forgets: bool = False
    """It writes no more than that wrong passwords are forgotten, which the end of a sign-in does by itself."""


class Offer(NamedTuple):
    """How a step asks: what the adapter shows, and what is sealed until the answer comes, where there is no row yet."""

    parameters: dict[str, Any]
    private: bytes = b""


class Step(Protocol):
    """What stands between an attempt and its end. First factors are steps: people and decoys come to them alike."""

    @property
    def challenge(self) -> str:
        """What it asks by."""

    @property
    def proof(self) -> str:
        """The answer that proves. A call that begins with it needs no challenge."""

    def applies(self, attempt: Attempt) -> bool:
        """Say whether this step still stands in the way."""

    def enter(self, attempt: Attempt, *, by: Actor) -> DomainError | None:
        """Issue what the step asks for, in the transaction that reaches it: a code, a challenge; or refuse to."""

    def offer(self, attempt: Attempt) -> Offer:
        """Return what it takes to ask, outside any transaction. Writes nothing."""

    def check(self, attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
        """Look at an answer, outside any transaction; raise a domain error for a wrong one."""
