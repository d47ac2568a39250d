"""Partitions of the appended tables: named, made and dropped. With SQL of its own, as ``hot`` has.

Names are composed by psycopg from a fixed list of tables and from dates, never from what anyone sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql

from identity.foundation.names import uuid7_floor

MONTHLY = ("audit_event", "audit_personal", "auth_event", "outbox")
TABLES = ("spent", *MONTHLY)
NAME = re.compile(r"(?P<table>[a-z_]+)_(?P<day>[0-9]{8}|[0-9]{6})")
EXISTING = """
SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = to_regclass(%s) ORDER BY child.relname
"""
INDEXED = """
SELECT part.relname FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid JOIN pg_class part ON part.oid = indrelid
WHERE inhparent = to_regclass(%s)
"""


class Span(NamedTuple):
    """A time that a partition holds: its suffix, first moment, and the moment after its last."""

    suffix: str
    start: date
    end: date


def days(today: date, ahead: int) -> list[Span]:
    """Return today and the days to come."""
    return [
        Span(f"{day:%Y%m%d}", day, day + timedelta(days=1))
        for day in (today + timedelta(days=offset) for offset in range(ahead + 1))
    ]


def months(today: date, ahead: int) -> list[Span]:
    """Return this month and the months to come."""
    spans = []
    start = today.replace(day=1)
    for _ in range(ahead + 1):
        end = (start + timedelta(days=32)).replace(day=1)
        spans.append(Span(f"{start:%Y%m}", start, end))
        start = end
    return spans


def existing(table: str) -> list[str]:
    """Return the names of a table's partitions."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING, [table])
        return [row[0] for row in cursor.fetchall()]


def indexed(index: str) -> set[str]:
    """Return the names of the partitions that have their part of an index."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXED, [index])
        return {row[0] for row in cursor.fetchall()}


def make(table: str, spans: Iterable[Span]) -> list[str]:
    """Make the partitions that are missing; return their names.

    Rows that the default partition took for such a time meanwhile are moved: PostgreSQL refuses the partition
    otherwise. They are few, since partitions are made days ahead, and nobody adds one while they move.
    """
    assert table in TABLES  # noqa: S101 - names come from this module
    present = set(existing(table))
    made = []
    for span in spans:
        name = f"{table}_{span.suffix}"
        if name in present:
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            names = {"part": sql.Identifier(name), "table": sql.Identifier(table)}
            default = sql.Identifier(f"{table}_default")
            bounds = {"start": sql.Literal(str(_floor(span.start))), "end": sql.Literal(str(_floor(span.end)))}
            cursor.execute(sql.SQL("LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE").format(default=default))
            cursor.execute(
                sql.SQL("CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(**names)
            )
            cursor.execute(
                sql.SQL(
                    "WITH moved AS (DELETE FROM {default} WHERE id >= {start} AND id < {end} RETURNING *) "
                    "INSERT INTO {part} SELECT * FROM moved"
                ).format(default=default, **names, **bounds)
            )
            cursor.execute(
                sql.SQL("ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({start}) TO ({end})").format(
                    **names, **bounds
                )
            )
        made.append(name)
    return made


def drop_before(table: str, day: date) -> list[str]:
    """Drop the partitions whose whole time lies before a day; return their names."""
    assert table in TABLES  # noqa: S101 - names come from this module
    dropped = []
    for name in existing(table):
        found = NAME.fullmatch(name)
        if found is None or found["table"] != table or _end(found["day"]) > day:
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(sql.SQL("DROP TABLE {part}").format(part=sql.Identifier(name)))
        dropped.append(name)
    return dropped


def delete_stray(table: str, day: date, limit: int) -> int:
    """Delete so many rows of before a day that no partition was there for: the default holds them, and stays."""
    assert table in TABLES  # noqa: S101 - names come from this module
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "DELETE FROM {default} WHERE id IN (SELECT id FROM {default} WHERE id < {floor} LIMIT {limit})"
            ).format(
                default=sql.Identifier(f"{table}_default"),
                floor=sql.Literal(str(_floor(day))),
                limit=sql.Literal(limit),
            )
        )
        return int(cursor.rowcount)


def _end(suffix: str) -> date:
    start = date(int(suffix[:4]), int(suffix[4:6]), int(suffix[6:] or 1))
    return start + timedelta(days=1) if suffix[6:] else (start + timedelta(days=32)).replace(day=1)


def _floor(day: date) -> UUID:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return uuid7_floor(int(moment.timestamp() * 1000))
