"""Many new people in a few statements, for imports: constant SQL, as in ``hot``. Decides nothing.

What the ORM does for one row takes longer than all that an import has for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from identity.foundation.names import uuid7
from pools.models.user_pool import UserPool

# Each name goes to whoever comes first; of names in one order two imports never wait for one another.
CLAIM = """
INSERT INTO sign_in_name (id, pool_id, name, user_id, kind)
SELECT claimed.id, %(pool)s, claimed.name, claimed.user_id, claimed.kind
FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(users)s::uuid[], %(kinds)s::text[])
    WITH ORDINALITY AS claimed (id, name, user_id, kind, place)
ORDER BY claimed.name, claimed.place
ON CONFLICT DO NOTHING
RETURNING id
"""
INSERT = """
INSERT INTO pool_user (id, pool_id, sub, username, email, email_verified, phone_number, phone_number_verified, name,
    given_name, family_name, preferred_username, attributes, status, sms_enabled, created_at, modified_at)
SELECT made.id, %s, made.sub, made.username, made.email, made.email_verified, made.phone_number,
    made.phone_number_verified, made.name, made.given_name, made.family_name, made.preferred_username,
    made.attributes::jsonb, made.status, made.sms_enabled, made.created_at, made.modified_at
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::boolean[], %s::text[], %s::boolean[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::timestamptz[], %s::timestamptz[])
    AS made (id, sub, username, email, email_verified, phone_number, phone_number_verified, name, given_name,
        family_name, preferred_username, attributes, status, sms_enabled, created_at, modified_at)
"""
# What another system made of their passwords. It is as old as they are here.
INSERT_HASHES = """
INSERT INTO password (user_id, pool_id, argon2, sealed_verifier, verifier_pool, verifier_name, changed_at)
SELECT made.user_id, %s, made.hash, NULL, '', '', made.changed_at
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[]) AS made (user_id, hash, changed_at)
"""
Name = tuple[UUID, str, UUID, str]
"""Id, name, user, kind."""


@dataclass(slots=True)
class NewUser:
    """A user to insert, with the fields of ``User``: making one of the ORM's takes ten times as long."""

    pool: UserPool
    sub: UUID
    username: str
    status: str
    created_at: datetime
    modified_at: datetime
    id: UUID = field(default_factory=uuid7)
    email: str | None = None
    email_verified: bool | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    preferred_username: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    sms_enabled: bool = False
    foreign_hash: str = ""
    """Of their password, as another system made it and ``foreign_hashes`` keeps it; most have none."""


def claim_names(pool_id: int, claimed: Iterable[Name]) -> set[UUID]:
    """Give names to users, those that nobody has; return the ids of the rows that were written."""
    ids, names, users, kinds = (list(column) for column in zip(*claimed, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"pool": pool_id, "ids": ids, "names": names, "users": users, "kinds": kinds})
        return {row[0] for row in cursor.fetchall()}


def insert_users(pool_id: int, users: Collection[NewUser]) -> None:
    """Write new users of a pool, with the hashes that they bring along."""
    rows = [
        (
            *(user.id, user.sub, user.username, user.email, user.email_verified),
            *(user.phone_number, user.phone_number_verified, user.name, user.given_name, user.family_name),
            *(user.preferred_username, json.dumps(user.attributes), str(user.status), user.sms_enabled),
            *(user.created_at, user.modified_at),
        )
        for user in users
    ]
    hashes = [(user.id, user.foreign_hash, user.created_at) for user in users if user.foreign_hash]
    for statement, of_each in ((INSERT, rows), (INSERT_HASHES, hashes)):
        if of_each:
            with connection.cursor() as cursor:
                cursor.execute(statement, [pool_id, *(list(column) for column in zip(*of_each, strict=True))])
