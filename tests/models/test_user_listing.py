"""Pages of users: what fits, in order, at the cost of a page, whatever else the pool and its neighbours hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from pools.models import User, UserPool, user_listing
from pools.models.user import ANY_CASE
from pools.services.people.user_filter import BEHIND, ONLY
from tests import factories

MANY, FEW = 5_000, 7
BLOCKS = 2 * user_listing.MOST
"""Of memory, that a page may read: a row's own and some of an index. All rows of the large pool are in more."""
FILL = """
INSERT INTO pool_user (id, pool_id, sub, username, email, phone_number, name, given_name, family_name,
    preferred_username, status, enabled)
SELECT ('01900000-0000-7' || lpad(to_hex(%(pool)s %% 4096), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    %(pool)s, gen_random_uuid(), 'user' || n, CASE n %% 2 WHEN 0 THEN 'user' ELSE 'USER' END || n || '@Example.com',
    '+49' || n, 'Name ' || n %% 1000, CASE n %% 2 WHEN 0 THEN 'Élodie' ELSE 'élodie' END, 'Family' || n, 'Called' || n,
    %(status)s, %(enabled)s
FROM generate_series(1, %(count)s) n
"""
INDEXES = """
SELECT indexname FROM pg_indexes WHERE tablename = 'pool_user' AND split_part(indexdef, ' WHERE ', 1) ~ %s
"""
LAST = UUID(int=2**128 - 1)
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("ALL", {}),
    ("BY_SUB", {"last": LAST}),
    *(("BY_STATUS", {"value": status}) for status in ("CONFIRMED", "UNCONFIRMED", "RESET_REQUIRED")),
    *(("BY_ENABLED", {"value": enabled}) for enabled in (True, False)),
    ("BY_USERNAME", {"first": "user", "below": "uses"}),
    ("BY_EMAIL", {"first": "uSer", "below": "uSer" + BEHIND}),
    ("BY_EMAIL", {"first": "User3@example.com", "below": "User3@example.com" + ONLY}),
    ("BY_PHONE_NUMBER", {"first": "+49", "below": "+4:"}),
    ("BY_NAME", {"first": "name 3", "below": "name 3" + ONLY}),
    ("BY_GIVEN_NAME", {"first": "ÉLODIE", "below": "ÉLODIE" + ONLY}),
    ("BY_FAMILY_NAME", {"first": "FAMILY", "below": "FAMILY" + BEHIND}),
    ("BY_PREFERRED_USERNAME", {"first": "called", "below": "called" + BEHIND}),
]


@pytest.fixture
def pools(db: None) -> list[UserPool]:
    """Return a large pool, which is all that the planner knows of, a small one, and one where nobody may sign in."""
    made = [factories.make_pool() for _ in range(3)]
    sizes = ((MANY, "CONFIRMED", True), (FEW, "CONFIRMED", True), (MANY // 5, "UNCONFIRMED", False))
    with connection.cursor() as cursor:
        for pool, (count, status, enabled) in zip(made, sizes, strict=True):
            cursor.execute(FILL, {"pool": pool.pk, "count": count, "status": status, "enabled": enabled})
            if pool is made[0]:
                cursor.execute("ANALYZE pool_user")
    return made


def executed(name: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a statement as connections prepare it, by a plan for any parameters; return the plan's nodes as they ran."""
    places = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", getattr(user_listing, name))))
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${places.index(found[1]) + 1}", getattr(user_listing, name))
    values = [given[place] for place in places]
    types = ", ".join("uuid" if isinstance(value, UUID) else "unknown" for value in values)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE asked ({types}) AS {text}")
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({marks})", values)
        answer = cursor.fetchone()
        cursor.execute("DEALLOCATE asked")
    assert answer
    found = json.loads(answer[0]) if isinstance(answer[0], str) else answer[0]
    return list(nodes(found[0]["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every node of a plan."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def test_a_page_costs_the_same_in_any_pool(pools: list[UserPool]) -> None:
    for name, given in ASKED:
        for pool in pools:
            plan = executed(name, {"pool": pool.pk, "after": user_listing.FIRST, **given})

            told = name, given, pool.pk, plan
            assert {node["Node Type"] for node in plan} <= {"Limit", "Index Scan", "Incremental Sort"}, told
            assert [node for node in plan if node.get("Rows Removed by Filter")] == [], told
            assert plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"] <= BLOCKS, told
            if (column := name.removeprefix("BY_").lower()) in ANY_CASE:
                assert plan[0]["Actual Rows"] or pool is not pools[0], told
                assert [node["Index Name"] for node in plan if "Index Name" in node] == only_index(column), told


def only_index(column: str) -> list[str]:
    """Return the name of the index of a column's small letters. There is no other of that column."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, [rf"\m{column}\M"])
        found = [row[0] for row in cursor.fetchall()]
    assert found == [f"pool_user_lower_{column}"[:30]]
    return found


def test_a_late_page_costs_what_the_first_does(pools: list[UserPool]) -> None:
    large = User.objects.filter(pool=pools[0]).order_by("id")
    late = large.values_list("id", flat=True)[MANY - 100]

    for name, given in ASKED:
        if name != "BY_SUB":
            first = {**given, "first": "user99"} if name in ("BY_USERNAME", "BY_EMAIL") else given
            plan = executed(name, {"pool": pools[0].pk, "after": late, **first})

            assert plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"] <= BLOCKS, (name, given, plan)


def test_a_page_is_what_the_orm_reads(pools: list[UserPool]) -> None:
    large, small, _ = pools
    User.objects.filter(pool=small, username="user3").update(attributes={"nickname": "Al", "custom:role": "x"})
    User.objects.filter(pool=small, username="user4").update(deleted_at="2026-01-01T00:00:00Z")
    rows = User.objects.filter(pool=small, deleted_at=None)
    expected = {values[0]: values for values in rows.values_list(*user_listing.Listed._fields)}

    pages = [
        user_listing.of_all(small.pk),
        user_listing.of_subs(small.pk, after=user_listing.FIRST, last=LAST),
        user_listing.of_status(small.pk, "CONFIRMED"),
        user_listing.of_enabled(small.pk, enabled=True),
        *(user_listing.of_text(small.pk, column, first="", below=BEHIND) for column in user_listing.BY_TEXT),
    ]

    assert len(expected) == FEW - 1
    for page in pages:
        assert {row.id: tuple(row) for row in page} == expected
    assert len(user_listing.of_all(large.pk)) == user_listing.MOST + 1
    assert [row.id for row in user_listing.of_all(small.pk)] == sorted(expected)
    assert user_listing.of_status(small.pk, "UNCONFIRMED") == user_listing.of_enabled(small.pk, enabled=False) == []
