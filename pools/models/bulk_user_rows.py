"""Many new people in a few statements, for imports: constant SQL, as in ``hot``. Decides nothing.

What the ORM does for one row takes longer than all that an import has for it, and PostgreSQL takes half as long for
rows of COPY, in its text format, as for those of any INSERT.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

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
Name = tuple[UUID, str, UUID, str]
"""Id, name, user, kind."""


@dataclass(slots=True)
class NewUser:
    """A user to insert, with the fields of ``User``: making one of the ORM's takes ten times as long."""

    id: UUID
    pool: UserPool
    sub: UUID
    username: str
    status: str
    created_at: datetime
    modified_at: datetime
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


ELSEWHERE = ("pool", "foreign_hash", "created_at", "modified_at")
COLUMNS = tuple(each.name for each in fields(NewUser) if each.name not in ELSEWHERE)
"""Of a new user; the others have their defaults, which of times is when the transaction began."""
COPY_USERS = f"COPY pool_user (pool_id, {', '.join(COLUMNS)}) FROM STDIN"
COPY_NAMES = "COPY sign_in_name (id, pool_id, name, user_id, kind) FROM STDIN"
COPY_HASHES = "COPY password (pool_id, user_id, argon2, verifier_pool, verifier_name) FROM STDIN"
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
NULL, TAB = r"\N", "\t"
"""PostgreSQL: COPY, Text Format."""
VALUES = attrgetter(*COLUMNS)


def row_of(user: NewUser) -> str:
    """Return a new user's row as :func:`insert_users` takes it."""
    return _row([user.pool.pk, *VALUES(user)])


def insert_users(rows: Iterable[str]) -> None:
    """Write new users, by their rows."""
    _copy(COPY_USERS, "".join(rows))


def rows_of_names(pool_id: int, claimed: Iterable[Name]) -> str:
    """Return rows as :func:`insert_names` takes them, in the order in which others claim names too."""
    ordered = sorted(claimed, key=itemgetter(1))
    return "".join(_row([row_id, pool_id, name, user_id, kind]) for row_id, name, user_id, kind in ordered)


def insert_names(rows: str) -> None:
    """Give names to users, where nobody has any of them.

    Raises:
        IntegrityError: somebody has one of them, or two of these users ask for the same.

    """
    _copy(COPY_NAMES, rows)


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


def insert_hashes(pool_id: int, users: Iterable[NewUser]) -> None:
    """Write the hashes that new users of a pool bring along: as old as they are here, and without what SRP needs."""
    rows = ([pool_id, user.id, user.foreign_hash, "", ""] for user in users if user.foreign_hash)
    _copy(COPY_HASHES, "".join(map(_row, rows)))


def _row(values: Iterable[Any]) -> str:
    return f"{TAB.join([NULL if value is None else _text(value) for value in values])}\n"


def _text(value: Any) -> str:  # noqa: ANN401 - of any column
    text: str = value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict) else str(value)
    return text if text.isprintable() and "\\" not in text else text.translate(ESCAPES)


def _copy(statement: str, rows: str) -> None:
    if not rows:
        return
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copying:
        copying.write(rows)
