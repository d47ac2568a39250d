"""What purging asks of the database: indexes, not whole tables, whatever it removes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from pools.models import User
from pools.services import housekeeping
from pools.services.people import groups
from tests import factories
from tests.models.test_hot import nodes

# For each row that goes, PostgreSQL looks for rows that point at it, by the pointing column alone.
WITHOUT_INDEX = """
SELECT child.relname || '.' || attname
FROM pg_constraint JOIN pg_class child ON child.oid = conrelid
JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND confrelid = ANY(%s::regclass[]) AND NOT EXISTS (
    SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1] AND indpred IS NULL AND indisvalid
)
ORDER BY 1
"""
# Small tables, whose rows live for a day at most: a chunk of people, or a pool's end, may look through them.
OF_A_DAY = {"attempt", "interaction"}


def test_no_row_that_is_purged_has_a_table_read_for_it(db: None) -> None:
    tables = {model._meta.db_table for model in (*housekeeping.OF_A_POOL, *housekeeping.OF_AN_IDENTITY_POOL)}
    purged = ["user_pool", "identity_pool", *tables]

    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_INDEX, [purged])
        found = [row[0] for row in cursor.fetchall()]

    assert found == [f"{table}.pool_id" for table in sorted(OF_A_DAY)]


def test_models_and_migrations_say_the_same(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.fixture
def indexes_only(db: None) -> None:
    """Ask the planner whether an index would do, not whether it pays: tables are empty here."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def plan(statement: str) -> list[dict[str, Any]]:
    """Return the nodes of a statement's plan."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement)
        answer = cursor.fetchone()
    assert answer
    found = json.loads(answer[0]) if isinstance(answer[0], str) else answer[0]
    return list(nodes(found[0]["Plan"]))


def tables_read(statement: str) -> set[str]:
    """Return the tables that a statement reads from end to end, other than small ones."""
    return {node["Relation Name"] for node in plan(statement) if node["Node Type"] == "Seq Scan"} - OF_A_DAY


@pytest.mark.usefixtures("indexes_only")
def test_people_are_purged_by_indexes() -> None:
    pool = factories.make_pool()
    person = factories.make_user(pool, "alice@example.com")
    groups.create(pool, "staff", by=factories.BY)
    groups.add(pool, person, "staff", by=factories.BY)
    User.objects.filter(id=person.id).update(deleted_at=person.created_at)

    with CaptureQueriesContext(connection) as asked:
        assert housekeeping.purge_users() == 1

    said = [query["sql"] for query in asked if query["sql"].startswith(("SELECT", "DELETE"))]
    assert len(said) == 2 + len(housekeeping.OF_A_USER)
    assert [tables_read(statement) for statement in said] == [set()] * len(said)
    assert "pool_user_deleted" in {node.get("Index Name") for node in plan(said[0])}


@pytest.mark.usefixtures("indexes_only")
@pytest.mark.parametrize(
    "table", [*housekeeping.OF_A_POOL, *housekeeping.OF_AN_IDENTITY_POOL], ids=lambda table: table.__name__
)
def test_pools_are_emptied_by_indexes(table: type[models.Model]) -> None:
    rows = table._default_manager.filter(pool_id=1).order_by()

    assert tables_read(str(rows.values("pk")[:500].query)) == set()
