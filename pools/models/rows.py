"""What the hot statements return, and take: rows by name, without the ORM's weight, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from identity.foundation.errors import Misuse


class EnrolledFactor(NamedTuple):
    """A second factor that somebody has proven."""

    kind: str
    name: str
    enabled: bool
    """Asked for at sign-in."""


class Person(NamedTuple):
    """A live user, with what second factors it has where the statement asks for them."""

    id: UUID
    pool_id: int
    sub: UUID
    username: str
    email: str | None
    email_verified: bool | None
    phone_number: str | None
    phone_number_verified: bool | None
    name: str | None
    given_name: str | None
    family_name: str | None
    preferred_username: str | None
    attributes: dict[str, str]
    status: str
    enabled: bool
    epoch: int
    preferred_mfa: str
    created_at: datetime
    modified_at: datetime
    held: tuple[EnrolledFactor, ...] | None

    @property
    def factors(self) -> tuple[EnrolledFactor, ...]:
        """Return the second factors.

        Raises:
            Misuse: they were not read, which is not to be taken for none.

        """
        if self.held is None:
            raise Misuse("the statement that read this person asks for no factors")
        return self.held


class UserGroup(NamedTuple):
    """One group of a person: name, role, precedence."""

    name: str
    role_arn: str
    precedence: int | None


class Credentials(NamedTuple):
    """What decides a first proof, and no more. As much is read of nobody as of somebody, so it is kept small."""

    id: UUID | None
    """None for a decoy, as all that follows but the lock."""
    sub: UUID | None
    username: str | None
    email: str | None
    phone_number: str | None
    preferred_username: str | None
    status: str | None
    enabled: bool | None
    epoch: int | None
    argon2: str | None
    password_expires_at: datetime | None
    password_changed_at: datetime | None
    sealed_verifier: bytes | None
    verifier_pool: str | None
    verifier_name: str | None
    locked_until: datetime | None


class Proven(NamedTuple):
    """Whose a right first proof is."""

    password_changed_at: datetime | None
    groups: tuple[UserGroup, ...]
    person: Person


class AttemptRow(NamedTuple):
    """A sign-in that has a row, and whose it is: nobody's, where its subject is a decoy."""

    id: UUID
    subject: UUID
    step: int
    strikes: int
    open: bool
    evidence: dict[str, Any]
    epoch: int
    expires_at: datetime
    client_id: str
    password_changed_at: datetime | None
    groups: tuple[UserGroup, ...]
    person: Person | None


class Family(NamedTuple):
    """A refresh family and whose it is."""

    id: UUID
    client_pk: UUID
    generation: int
    salt: bytes
    previous_salt: bytes | None
    rotated_at: datetime | None
    revoked_at: datetime | None
    rotations: dict[str, float]
    epoch: int
    auth_time: datetime
    methods: list[str]
    event_id: UUID
    expires_at: datetime
    last_active_at: datetime
    bound: str
    groups: tuple[UserGroup, ...]
    person: Person | None


class AccessTokenStatus(NamedTuple):
    """What decides whether an access token is still good."""

    family_id: UUID | None
    family_epoch: int | None
    family_revoked_at: datetime | None
    person: Person


class RedeemedCode(NamedTuple):
    """An authorization code as it was, whose it is, and whether it has been redeemed now."""

    redeemed: bool
    client_pk: UUID
    redirect_uri: str
    code_challenge: str
    auth_time: datetime
    methods: list[str]
    epoch: int
    event_id: UUID
    family_id: UUID
    expires_at: datetime
    consumed_at: datetime | None
    bound: str
    groups: tuple[UserGroup, ...]
    person: Person | None


class BrowserSession(NamedTuple):
    """A browser session and whose it is."""

    id: UUID
    hashed: bytes
    epoch: int
    auth_time: datetime
    methods: list[str]
    event_id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    person: Person


class NewFamily(NamedTuple):
    """A refresh family that is to be made."""

    id: UUID
    pool: int
    client: UUID
    user: UUID
    salt: bytes
    epoch: int
    bound: str
    auth_time: datetime
    proofs: list[str]
    """``methods`` of the family; the sign-in event, which one statement writes with it, has its own."""
    event: UUID
    expires_at: datetime
    now: datetime


PERSON_COLUMNS = len(Person._fields) - 1


def document(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON column's value; Django leaves jsonb of raw statements as text."""
    return json.loads(value) if isinstance(value, str) else value


def person(row: Sequence[Any]) -> Person | None:
    """Return the person of a row's tail, None where nobody was joined. Factors come last, where they are asked for."""
    if row[0] is None:
        return None
    held = enrolled_factors(row[PERSON_COLUMNS:]) if len(row) > PERSON_COLUMNS else None
    return Person._make((*row[:12], document(row[12]) or {}, *row[13:PERSON_COLUMNS], held))


def enrolled_factors(columns: Sequence[Any]) -> tuple[EnrolledFactor, ...]:
    """Return the second factors of a row: a column each kind, a JSON list of what there is of it, or null."""
    return tuple(EnrolledFactor(*entry) for column in columns if column for entry in document(column))


def user_groups(value: Any) -> tuple[UserGroup, ...]:  # noqa: ANN401 - JSON
    """Return the groups of a row."""
    return tuple(UserGroup(*entry) for entry in document(value) or ())
