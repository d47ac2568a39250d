"""Every statement on a pool's table names the pool: the watch is on, and catches what is planted."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from django.db import connection, transaction

from pools.models import Group, Membership, User, account_rows, app_client_rows, hot, message_rows, user_listing
from pools.models.deletion import delete
from tests import any_input, factories, statements
from tests.architecture.source import ROOT

PLANTED = str(ROOT / "pools" / "services" / "planted.py")
USER = "SELECT * FROM pool_user u "
MODULES = (hot, account_rows, app_client_rows, message_rows, user_listing)
FRAGMENTS = {"PERSON", "FACTORS", "PERSON_AND_FACTORS", "GROUPS", "WHOLE_USER", "COLUMNS"}
"""Parts of statements, which say nothing by themselves."""


def planted(source: str) -> Any:  # noqa: ANN401 - whatever it returns
    """Run an expression as if it stood in the product."""
    return eval(
        compile(source, PLANTED, "eval"),
        {"User": User, "Membership": Membership, "connection": connection, "delete": delete},
    )


@pytest.mark.parametrize(
    "source",
    [
        "User.objects.filter(sub='00000000-0000-4000-8000-000000000000').first()",
        "User.objects.filter(pk='00000000-0000-4000-8000-000000000000').update(enabled=False)",
        "User.objects.filter(pool__public_id='us-east-1_x').first()",  # the pool's key is its number
        "User.objects.filter(username='ann')._raw_delete('default')",
        "delete(User.objects.filter(username='ann'))",
        "Membership.objects.filter(pool_id=1).select_related('user').first()",
        "Membership.objects.filter(user__pool_id=1).first()",
        "connection.cursor().execute('UPDATE guess SET pool_id = 1')",
    ],
)
def test_a_planted_statement_without_its_pool_is_refused(source: str, db: None) -> None:
    with pytest.raises(statements.Unscoped, match=r"planted\.py"):
        planted(source)


@pytest.mark.parametrize(
    "source",
    [
        "User.objects.filter(pool_id=1, username='ann').first()",
        "User.objects.filter(pool_id__in=[1, 2]).update(enabled=False)",
        "Membership.objects.filter(pool_id=1, user__pool_id=1).select_related('user').first()",
        "connection.cursor().execute('SELECT 1')",
    ],
)
def test_a_statement_that_names_its_pool_is_let_through(source: str, db: None) -> None:
    planted(source)


def test_what_a_test_asks_is_its_own(db: None) -> None:
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (USER + "WHERE u.pool_id = %s", ()),
        (USER + "WHERE u.sub = %s", ("pool_user",)),
        (USER + "WHERE u.name = 'u.pool_id = 1'", ("pool_user",)),
        (USER + "JOIN membership m ON m.pool_id = u.pool_id AND m.user_id = u.id", ("pool_user", "membership")),
        (USER + "JOIN membership m ON m.user_id = u.id WHERE u.pool_id = %s", ("membership",)),
        (USER + "JOIN membership m ON m.pool_id = u.pool_id WHERE u.pool_id = %s", ()),
        (USER + "JOIN user_pool p ON u.pool_id = user_pool.id WHERE u.sub = %s", ("pool_user",)),
        (
            "SELECT u.pool_id FROM pool_user u WHERE u.id IN (SELECT user_id FROM membership)",
            ("pool_user", "membership"),
        ),
        (USER + "WHERE (u.pool_id, u.id) > (%(pool)s, %(after)s) AND u.pool_id <= %(pool)s", ()),
        (USER + "WHERE (u.pool_id, u.id) > (%(pool)s, %(after)s) AND u.pool_id <= %(other)s", ("pool_user",)),
        (USER + "WHERE (u.pool_id, u.id) > (%(pool)s, %(after)s)", ("pool_user",)),
        (USER + "WHERE u.pool_id <= %(pool)s", ("pool_user",)),
        ("DELETE FROM guess WHERE last_at < %s", ("guess",)),
        ("UPDATE guess SET pool_id = %s", ("guess",)),
        ("UPDATE guess SET failures = 0 WHERE pool_id = %s", ()),
        ("SELECT * FROM signing_key WHERE pool_id IS NULL", ()),
        ("SELECT * FROM spent", ()),
    ],
)
def test_a_statement_is_read_table_by_table(text: str, found: tuple[str, ...]) -> None:
    assert statements.unnamed(text) == found


def test_hot_statements_name_every_pool() -> None:
    held = [item for module in MODULES for item in vars(module).items()]
    texts = {name: text for name, text in held if name.isupper() and isinstance(text, str)}
    whole = {name: text for name, text in texts.items() if name not in FRAGMENTS}

    assert {name: statements.unnamed(text) for name, text in whole.items() if statements.unnamed(text)} == {}


@pytest.mark.parametrize("place", sorted(statements.BEYOND))
def test_who_may_look_beyond_a_pool_is_there(place: str) -> None:
    path, _, function = place.partition(":")
    tree = ast.parse((ROOT / path).read_text())

    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('INSERT INTO "guess" ("id") VALUES (%s) ON CONFLICT DO UPDATE SET failures = 1', {"guess"}),
        ("SELECT * FROM pool_user WHERE id = %s FOR UPDATE OF pool_user", set()),
        ("SELECT * FROM pool_user FOR NO KEY UPDATE", set()),
        (
            "WITH a AS (UPDATE guess SET failures = 0 RETURNING id) INSERT INTO spent SELECT id FROM a",
            {"guess", "spent"},
        ),
        ("DELETE FROM ONLY pool_user WHERE id = %s", {"pool_user"}),
        ("TRUNCATE guess", {"guess"}),
        ("SELECT 'UPDATE guess SET'", set()),
        ('ROLLBACK TO SAVEPOINT "s1"', {"TO"}),
    ],
)
def test_what_a_statement_writes_to_is_read_from_it(text: str, found: set[str]) -> None:
    assert statements.changed(text) == found


def test_what_is_known_of_the_rows_is_what_they_are_whoever_wrote_last(db: None) -> None:
    pool = factories.make_pool()
    group = Group(pool=pool, name="a")
    point = transaction.savepoint()

    def statement(text: str) -> Any:  # noqa: ANN401 - whatever it returns
        with connection.cursor() as cursor:
            return cursor.execute(text)

    for write in (
        lambda: group.save(force_insert=True),
        lambda: Group.objects.bulk_create([Group(pool=pool, name="b")]),
        lambda: Group.objects.filter(pool=pool).update(description="c"),
        lambda: factories.make_user(pool),
        lambda: statement("WITH a AS (UPDATE pool_group SET name = name || 'd' RETURNING 1) TABLE a"),
        lambda: Group.objects.filter(pool=pool, name="ad").delete(),
        lambda: transaction.savepoint_rollback(point),
    ):
        before = any_input.state()
        write()
        assert any_input.state() != before
        assert any_input.state() == any_input.digest()


def test_rows_are_not_read_again_where_nothing_wrote(db: None, django_assert_num_queries: Any) -> None:  # noqa: ANN401
    before = any_input.state()

    with django_assert_num_queries(1):
        assert Group.objects.count() == 0
        assert any_input.state() is before
