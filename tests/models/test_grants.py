"""What the database lets web processes do: all that they need, and nothing to an audit row."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from psycopg import errors, sql

from identity.foundation.errors import Misuse
from pools.models import UserPool, grants
from tests import factories, servers

ROLE = f"role_{servers.WORKER}"


@pytest.fixture
def web(transactional_db: None) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Return a connection of the role's, beside an audit row."""
    del transactional_db
    grants.give(ROLE, "first")
    grants.give(ROLE, "a word with 'quotes'")
    factories.make_pool()
    about = connection.settings_dict
    with psycopg.connect(
        host=about["HOST"], port=about["PORT"], dbname=about["NAME"], user=ROLE, password="a word with 'quotes'"
    ) as found:
        yield found
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(ROLE)))


STATEMENTS = (
    "UPDATE {} SET id = id",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "DROP TABLE {}",
    "SELECT FROM {} FOR UPDATE",
)
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"


@pytest.mark.parametrize("table", sorted(grants.APPENDED))
@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_audit_row_is_changed(statement: str, table: str, web: psycopg.Connection[tuple[object, ...]]) -> None:
    partitions = [str(name) for (name,) in web.execute(PARTITIONS, [table])]
    assert partitions
    web.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))

    for name in (table, *partitions):
        with pytest.raises(errors.InsufficientPrivilege), web.transaction():
            web.execute(sql.SQL(statement).format(sql.Identifier(name)))


def test_it_makes_nobody_and_no_table(web: psycopg.Connection[tuple[object, ...]]) -> None:
    for statement in ("CREATE TABLE mine ()", "CREATE ROLE other", "DELETE FROM django_migrations"):
        with pytest.raises(errors.InsufficientPrivilege), web.transaction():
            web.execute(statement)


def test_other_rows_are_its_to_change(web: psycopg.Connection[tuple[object, ...]]) -> None:
    name = factories.make_pool().name

    web.execute("UPDATE user_pool SET name = 'changed' WHERE name = %s", [name])
    web.commit()

    assert UserPool.objects.filter(name="changed").exists()


def test_the_owners_role_is_refused(transactional_db: None) -> None:
    del transactional_db
    with pytest.raises(Misuse):
        grants.give(connection.settings_dict["USER"], "x")


def test_the_web_processes_of_tests_have_such_a_role(live: object) -> None:
    environment = live.parts["web"].environment  # type: ignore[attr-defined]

    with psycopg.connect(environment["DATABASE_URL"]) as found:
        allowed = found.execute("SELECT has_table_privilege('audit_event', 'UPDATE')").fetchone()
    assert allowed == (False,)
