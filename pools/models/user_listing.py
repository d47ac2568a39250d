"""Pages of a pool's users: constant statements, as in ``hot``, one for each index that gives an order. Decides nothing.

A page starts behind the last row of the one before, and costs the same wherever it is, however many fit a filter: what
is compared is the order itself, so that no other index looks as good to a plan for any parameters, and the number of
rows is a constant for the same reason. Equality is a range of one value, and of one in small letters where a column is
found whatever the case (``user.ANY_CASE``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pools.models.rows import document
from pools.models.statements import every
from pools.models.user import ANY_CASE

MOST = 60
FIRST = UUID(int=0)
"""Less than any id."""


class Listed(NamedTuple):
    """A user as lists show them: of a page of sixty, building the ORM's own rows would be most of the work."""

    id: UUID
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
    attributes: dict[str, Any]
    status: str
    enabled: bool
    created_at: datetime
    modified_at: datetime


ATTRIBUTES = Listed._fields.index("attributes")
COLUMNS = """
SELECT u.id, u.sub, u.username, u.email, u.email_verified, u.phone_number, u.phone_number_verified, u.name,
    u.given_name, u.family_name, u.preferred_username, u.attributes, u.status, u.enabled, u.created_at, u.modified_at
FROM pool_user u
WHERE u.deleted_at IS NULL
"""
LISTED = COLUMNS + "AND u.pool_id = %(pool)s "
# The range of one pool, in the order of its index: by the id alone, the rows of all pools would be in order too.
ALL = COLUMNS + (
    "AND (u.pool_id, u.id) > (%(pool)s, %(after)s) AND u.pool_id <= %(pool)s ORDER BY u.pool_id, u.id LIMIT 61"
)
BY_SUB = LISTED + "AND u.sub > %(after)s AND u.sub <= %(last)s ORDER BY u.sub LIMIT 61"
BY_STATUS = (
    LISTED + "AND (u.status, u.id) > (%(value)s, %(after)s) AND u.status <= %(value)s ORDER BY u.status, u.id LIMIT 61"
)
BY_ENABLED = (
    LISTED
    + "AND (u.enabled, u.id) > (%(value)s, %(after)s) AND u.enabled <= %(value)s ORDER BY u.enabled, u.id LIMIT 61"
)


def _by(column: str) -> str:
    """Return the statement of pages by a column of texts, which is the product's word.

    Columns of ``user.ANY_CASE`` go by small letters, as ``letter_case.SmallLetters`` has them, and so does what is
    asked for. Each letter goes for itself, so that heads stay heads: only where ICU has the database's locale, a sigma
    that ends a head is another than within a word.
    """
    value, first, below = f"u.{column}", "%(first)s", "%(below)s"
    if column in ANY_CASE:
        small = 'lower(lower({}) COLLATE "default") COLLATE "C"'
        value, first, below = map(small.format, (value, f'{first} COLLATE "C"', f'{below} COLLATE "C"'))
    is_behind, is_before = f"AND ({value}, u.id) > ({first}, %(after)s)", f"AND {value} < {below}"
    return f"{LISTED}{is_behind} {is_before} ORDER BY {value}, u.id LIMIT 61"


BY_USERNAME, BY_PHONE_NUMBER = _by("username"), _by("phone_number")
BY_EMAIL, BY_PREFERRED_USERNAME = _by("email"), _by("preferred_username")
BY_NAME, BY_GIVEN_NAME, BY_FAMILY_NAME = _by("name"), _by("given_name"), _by("family_name")
BY_TEXT = {
    "username": BY_USERNAME,
    "email": BY_EMAIL,
    "phone_number": BY_PHONE_NUMBER,
    "name": BY_NAME,
    "given_name": BY_GIVEN_NAME,
    "family_name": BY_FAMILY_NAME,
    "preferred_username": BY_PREFERRED_USERNAME,
}
"""By the column whose range is asked for."""


def of_all(pool_id: int, *, after: UUID = FIRST) -> list[Listed]:
    """Return a page of a pool's users, and one row more."""
    return _page(ALL, {"pool": pool_id, "after": after})


def of_subs(pool_id: int, *, after: UUID, last: UUID) -> list[Listed]:
    """Return a page of those whose ``sub`` lies behind one and is not beyond another."""
    return _page(BY_SUB, {"pool": pool_id, "after": after, "last": last})


def of_status(pool_id: int, status: str, *, after: UUID = FIRST) -> list[Listed]:
    """Return a page of those of a status."""
    return _page(BY_STATUS, {"pool": pool_id, "value": status, "after": after})


def of_enabled(pool_id: int, *, enabled: bool, after: UUID = FIRST) -> list[Listed]:
    """Return a page of those who may sign in, or of the others."""
    return _page(BY_ENABLED, {"pool": pool_id, "value": enabled, "after": after})


def of_text(pool_id: int, column: str, *, first: str, below: str, after: UUID = FIRST) -> list[Listed]:
    """Return a page of those whose column is from ``first``, of which only rows behind ``after``, to ``below``.

    Of a column of ``user.ANY_CASE`` all three are compared, and rows are in order, by small letters.
    """
    return _page(BY_TEXT[column], {"pool": pool_id, "first": first, "below": below, "after": after})


def _page(statement: str, asked: dict[str, Any]) -> list[Listed]:
    return [
        Listed._make((*row[:ATTRIBUTES], document(row[ATTRIBUTES]), *row[ATTRIBUTES + 1 :]))
        for row in every(statement, asked)
    ]
