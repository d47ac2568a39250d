"""Accounts made, found and given a password one at a time: constant statements, as in ``hot``. Decides nothing.

What is made of a row that is read is the ORM's ``User``, as everywhere: only how it is asked for is cheaper.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from identity.foundation.names import uuid7
from pools.models.rows import Credentials, document
from pools.models.statements import execute, one
from pools.models.user import User

# In the order of the model's fields, which the ORM makes its rows of. One that is missing here is read when it is used.
WHOLE_USER = """
    u.id, u.pool_id, u.sub, u.username, u.email, u.email_verified, u.phone_number, u.phone_number_verified, u.name,
    u.given_name, u.family_name, u.preferred_username, u.attributes, u.status, u.enabled, u.epoch, u.preferred_mfa,
    u.sms_enabled, u.created_at, u.modified_at, u.deleted_at
"""
FIELDS = [column.strip().removeprefix("u.") for column in WHOLE_USER.split(",")]
ATTRIBUTES = FIELDS.index("attributes")

# The sub first: it names one person for ever, and no chosen name may stand before it.
FIND_USER = (
    "SELECT "  # noqa: S608 - of constants
    + WHOLE_USER
    + """
FROM pool_user u
WHERE u.pool_id = %(pool)s AND u.deleted_at IS NULL AND u.id = coalesce(
    (SELECT s.id FROM pool_user s WHERE s.pool_id = %(pool)s AND s.sub = %(sub)s::uuid AND s.deleted_at IS NULL),
    (SELECT n.user_id FROM sign_in_name n WHERE n.pool_id = %(pool)s AND n.name = %(name)s))
"""
)
# Who asks by a name of anybody's: where it is nobody's, a row comes all the same, and as much is made of it.
FIND_ANYBODY = """
SELECT u.id IS NOT NULL,
    coalesce(u.id, '00000000-0000-4000-8000-000000000000'), coalesce(u.pool_id, 0),
    coalesce(u.sub, '00000000-0000-4000-8000-000000000000'), coalesce(u.username, 'nobody@example.com'),
    CASE WHEN u.id IS NULL THEN 'nobody@example.com' ELSE u.email END,
    CASE WHEN u.id IS NULL THEN true ELSE u.email_verified END, u.phone_number,
    u.phone_number_verified, u.name, u.given_name, u.family_name, u.preferred_username,
    coalesce(u.attributes, '{}'::jsonb), coalesce(u.status, 'CONFIRMED'), coalesce(u.enabled, true),
    coalesce(u.epoch, 0), coalesce(u.preferred_mfa, ''), coalesce(u.sms_enabled, false),
    coalesce(u.created_at, %(now)s::timestamptz), coalesce(u.modified_at, %(now)s::timestamptz), u.deleted_at
FROM (SELECT 1) AS always LEFT JOIN pool_user u ON u.pool_id = %(pool)s AND u.deleted_at IS NULL AND u.id =
    (SELECT n.user_id FROM sign_in_name n WHERE n.pool_id = %(pool)s AND n.name = %(name)s)
"""
# Of nobody as much comes as of somebody, and is read as long.
CREDENTIALS = """
SELECT u.id IS NOT NULL, coalesce(u.id, q.subject), coalesce(u.sub, q.subject), coalesce(u.username, q.name), u.email,
    u.phone_number, u.preferred_username, coalesce(u.status, 'CONFIRMED'), coalesce(u.enabled, true),
    coalesce(u.epoch, 0), CASE WHEN u.id IS NULL THEN repeat('x', 90) ELSE p.argon2 END, p.expires_at,
    CASE WHEN u.id IS NULL THEN now() ELSE p.changed_at END,
    CASE WHEN u.id IS NULL THEN decode(repeat('00', 460), 'hex') ELSE p.sealed_verifier END,
    CASE WHEN u.id IS NULL THEN q.name ELSE p.verifier_pool END,
    CASE WHEN u.id IS NULL THEN q.name ELSE p.verifier_name END, s.locked_until
FROM (SELECT %s::bigint AS pool_id, %s::text AS name, %s::uuid AS subject) q
LEFT JOIN sign_in_name n ON n.pool_id = q.pool_id AND n.name = q.name
LEFT JOIN pool_user u ON u.pool_id = q.pool_id AND u.id = coalesce(n.user_id, q.subject) AND u.deleted_at IS NULL
LEFT JOIN password p ON p.pool_id = u.pool_id AND p.user_id = u.id
LEFT JOIN guess s ON s.pool_id = q.pool_id AND s.subject = coalesce(u.id, q.subject) AND s.kind = 'password'
"""
LOCK_USER = (
    "SELECT " + WHOLE_USER + "FROM pool_user u WHERE u.pool_id = %s AND u.id = %s AND u.deleted_at IS NULL FOR UPDATE"
)
IS_TAKEN = """
SELECT EXISTS (SELECT FROM sign_in_name n
               WHERE n.pool_id = %(pool)s AND n.name = %(name)s AND n.user_id IS DISTINCT FROM %(but)s::uuid)
    OR EXISTS (SELECT FROM pool_user u
               WHERE u.pool_id = %(pool)s AND u.sub = %(sub)s::uuid AND u.deleted_at IS NULL
                   AND u.id IS DISTINCT FROM %(but)s::uuid)
"""
# Names in one order, whoever claims some: nobody waits for who waits for them. Without the username nobody is made.
MAKE_USER = """
WITH claimed AS (
    INSERT INTO sign_in_name (id, pool_id, name, user_id, kind)
    SELECT wanted.id, %(pool)s, wanted.name, %(id)s::uuid, wanted.kind
    FROM unnest(%(name_ids)s::uuid[], %(names)s::text[], %(kinds)s::text[]) AS wanted (id, name, kind)
    ORDER BY wanted.name
    ON CONFLICT DO NOTHING
    RETURNING kind
), made AS (
    INSERT INTO pool_user (id, pool_id, sub, username, email, email_verified, phone_number, phone_number_verified,
        name, given_name, family_name, preferred_username, attributes, status, created_at, modified_at)
    SELECT %(id)s::uuid, %(pool)s, %(sub)s::uuid, %(username)s, %(email)s, %(email_verified)s::boolean,
        %(phone_number)s, %(phone_number_verified)s::boolean, %(name)s, %(given_name)s, %(family_name)s,
        %(preferred_username)s, %(attributes)s::jsonb, %(status)s, %(created_at)s::timestamptz,
        %(modified_at)s::timestamptz
    WHERE EXISTS (SELECT FROM claimed WHERE kind = 'username')
)
SELECT array_agg(kind) FROM claimed
"""
STORE_HASHES = """
INSERT INTO password (user_id, pool_id, argon2, sealed_verifier, verifier_pool, verifier_name, expires_at, changed_at)
VALUES (%(user)s, %(pool)s, %(argon2)s, %(verifier)s, %(verifier_pool)s, %(verifier_name)s,
    %(expires_at)s::timestamptz, %(changed_at)s)
ON CONFLICT (user_id) DO UPDATE SET
    argon2 = EXCLUDED.argon2, sealed_verifier = EXCLUDED.sealed_verifier, verifier_pool = EXCLUDED.verifier_pool,
    verifier_name = EXCLUDED.verifier_name, expires_at = EXCLUDED.expires_at, changed_at = EXCLUDED.changed_at
"""
SET_STATUS = """
UPDATE pool_user SET status = %(status)s, modified_at = %(now)s WHERE pool_id = %(pool)s AND id = %(user)s
"""
# Nobody's codes have no destination, and stay as they are for every name.
REVOKE_CODES = """
UPDATE one_time_code SET expires_at = %(now)s
WHERE pool_id = %(pool)s AND subject = %(subject)s AND consumed_at IS NULL AND expires_at > %(now)s
    AND destination <> ''
    AND (purpose = ANY(%(purposes)s::text[])
        OR purpose = ANY(%(of_addresses)s::text[]) AND destination <> ALL(%(own)s::text[]))
"""


NOTHING = (None,) * (len(Credentials._fields) - 1)
"""Of nobody, but whether their name is locked."""


def find_user(pool_id: int, *, name: str = "", sub: UUID | str | None = None) -> User | None:
    """Return a live user by ``sub``, or else by a name that signs in."""
    return _user(one(FIND_USER, {"pool": pool_id, "name": name, "sub": sub}))


def find_anybody(pool_id: int, name: str, now: datetime) -> User | None:
    """Return a live user by a name that signs in. It takes as long where the name is nobody's."""
    row = one(FIND_ANYBODY, {"pool": pool_id, "name": name, "now": now})
    found = _user(row[1:]) if row else None
    return found if row and row[0] else None


def credentials(pool_id: int, name: str, subject: UUID) -> Credentials:
    """Return what decides a first proof; ``subject`` is the name's decoy, or without a name whom a sign-in is about."""
    row = one(CREDENTIALS, (pool_id, name, subject)) or ()
    return Credentials._make(row[1:] if row[0] else (*NOTHING, row[-1]))


def lock_user(pool_id: int, user_id: UUID) -> User | None:
    """Return a user's present row, locked until the transaction ends; None where it was deleted."""
    return _user(one(LOCK_USER, (pool_id, user_id)))


def _user(row: tuple[Any, ...] | None) -> User | None:
    if row is None:
        return None
    values = (*row[:ATTRIBUTES], document(row[ATTRIBUTES]), *row[ATTRIBUTES + 1 :])
    return User.from_db(DEFAULT_DB_ALIAS, FIELDS, values)


def is_taken(pool_id: int, name: str, *, sub: str | None, but: UUID | None) -> bool:
    """Say whether a name is somebody's, or ``sub`` is, of all but one person."""
    row = one(IS_TAKEN, {"pool": pool_id, "name": name, "sub": sub, "but": but})
    return bool(row and row[0])


def make_user(user: User, names: Mapping[str, str]) -> set[str]:
    """Write a new user with names, each with its kind; return the kinds whose names were free.

    Nothing is written of somebody whose username was not.
    """
    given = {column: getattr(user, column) for column in NEW}
    row = one(
        MAKE_USER,
        {
            **given,
            "pool": user.pool_id,
            "attributes": json.dumps(user.attributes),
            "status": str(user.status),
            "name_ids": [uuid7() for _ in names],
            "names": list(names),
            "kinds": list(names.values()),
        },
    )
    return set((row and row[0]) or ())


NEW = (
    *("id", "sub", "username", "email", "email_verified", "phone_number", "phone_number_verified", "name"),
    *("given_name", "family_name", "preferred_username", "created_at", "modified_at"),
)


def store_password(**values: Any) -> None:
    """Write somebody's password, in the place of an older one."""
    execute(STORE_HASHES, values)


def set_status(pool_id: int, user_id: UUID, status: str, now: datetime) -> None:
    """Write somebody's status."""
    execute(SET_STATUS, {"pool": pool_id, "user": user_id, "status": status, "now": now})


def revoke_codes(
    pool_id: int,
    subject: UUID,
    *,
    purposes: Collection[str],
    of_addresses: Collection[str],
    own: Collection[str],
    now: datetime,
) -> None:
    """End somebody's live codes of ``purposes``, and those ``of_addresses`` that went to none of their ``own``."""
    lists = {"purposes": list(purposes), "of_addresses": list(of_addresses), "own": list(own)}
    execute(REVOKE_CODES, {"pool": pool_id, "subject": subject, "now": now, **lists})
