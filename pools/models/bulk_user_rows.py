"""Many new people in a few statements, for imports: constant SQL, as in ``hot``. Decides nothing.

What the ORM does for one row takes longer than all that an import has for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from identity.foundation.names import uuid7
from pools.models.user_pool import UserPool

# Each name goes to whoever comes first; of names in one order two imports never wait for one another.
CLAIM = """
INSERT INTO sign_in_name (id, pool_id, name, user_id, kind)
SELECT claimed.id, %s, claimed.name, claimed.user_id, claimed.kind
FROM json_to_recordset(%s::json) AS claimed (place integer, id uuid, name text, user_id uuid, kind text)
ORDER BY claimed.name, claimed.place
ON CONFLICT DO NOTHING
RETURNING id
"""
INSERT = """
INSERT INTO pool_user (pool_id, id, sub, username, email, email_verified, phone_number, phone_number_verified, name,
    given_name, family_name, preferred_username, attributes, status, sms_enabled, created_at, modified_at)
SELECT %s, made.id, made.sub, made.username, made.email, made.email_verified, made.phone_number,
    made.phone_number_verified, made.name, made.given_name, made.family_name, made.preferred_username, made.attributes,
    made.status, made.sms_enabled, made.created_at, made.modified_at
FROM json_to_recordset(%s::json) AS made (id uuid, sub uuid, username text, email text, email_verified boolean,
    phone_number text, phone_number_verified boolean, name text, given_name text, family_name text,
    preferred_username text, attributes jsonb, status text, sms_enabled boolean, created_at timestamptz,
    modified_at timestamptz)
"""
# What another system made of their passwords. It is as old as they are here.
INSERT_HASHES = """
INSERT INTO password (pool_id, user_id, argon2, sealed_verifier, verifier_pool, verifier_name, changed_at)
SELECT %s, made.user_id, made.hash, NULL, '', '', made.changed_at
FROM json_to_recordset(%s::json) AS made (user_id uuid, hash text, changed_at timestamptz)
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


COLUMNS = tuple(each.name for each in fields(NewUser) if each.name not in ("pool", "foreign_hash"))
"""Of a new user; the others have their defaults."""


def claim_names(pool_id: int, claimed: Iterable[Name]) -> set[UUID]:
    """Give names to users, those that nobody has; return the ids of the rows that were written."""
    given = json.dumps(
        [
            {"place": place, "id": str(row_id), "name": name, "user_id": str(user_id), "kind": str(kind)}
            for place, (row_id, name, user_id, kind) in enumerate(claimed)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [pool_id, given])
        return {row[0] for row in cursor.fetchall()}


def row_of(user: NewUser) -> str:
    """Return a new user's row as :func:`insert_users` takes it."""
    return json.dumps({name: value for name in COLUMNS if (value := getattr(user, name)) is not None}, default=str)


def insert_users(pool_id: int, rows: Collection[str]) -> None:
    """Write new users of a pool, by their rows."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [pool_id, f"[{','.join(rows)}]"])


def insert_hashes(pool_id: int, users: Iterable[NewUser]) -> None:
    """Write the hashes that new users of a pool bring along."""
    hashes = [
        {"user_id": str(user.id), "hash": user.foreign_hash, "changed_at": str(user.created_at)}
        for user in users
        if user.foreign_hash
    ]
    if hashes:
        with connection.cursor() as cursor:
            cursor.execute(INSERT_HASHES, [pool_id, json.dumps(hashes)])
