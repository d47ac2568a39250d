"""Watches every statement that a process sends: one on a pool's table that does not name the pool is refused.

And keeps count of what writes, by table, so that tests need not look at the rows to know that nothing did.

Installed for the tests' own process by ``tests.conftest``, and for the live installation's by ``tests.live_settings``.
What tests do themselves, to set up and to look, is theirs. Plain inserts name their pool by being a row.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Collection
from functools import cache, lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from django.apps import apps
from django.db.backends.signals import connection_created

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = {"federation", "identity", "pools"}
DELETION = "pools/models/deletion.py"
"""Asks for others: whoever calls it is the one who asks."""
WATCHED = "Statements are watched."
MARK = "A statement on a pool's table does not name the pool"
# Who may look beyond a pool, and why. Everything else names the pool of each table that it touches.
BEYOND = {
    "pools/services/access.py:identity": "identity ids are unique, and callers name nothing else",
    "pools/services/access.py:identities": "as above, for several",
    "pools/services/configuration.py:client": "client ids are unique, and callers name nothing else",
    "pools/services/configuration.py:pool_by_host": "host names are unique: this is how a pool is found",
    "pools/services/messages/deliveries.py:deliver": "the outbox is one queue, its hint to a worker an id",
    "pools/services/messages/deliveries.py:due": "the sweep, over all pools",
    "pools/services/messages/deliveries.py:gauges": "figures of the whole installation",
    "pools/services/messages/deliveries.py:warning": "the same, for health checks",
    "pools/services/user_imports/work.py:due": "finds jobs of all pools that wait, or are too old",
    "pools/services/housekeeping.py:_in_chunks": "the purge of what expired, over all pools",
    "pools/services/housekeeping.py:_reseal": "a new master key wraps the secrets of all pools",
    "pools/services/housekeeping.py:_reseal_row": "one of them, whose table it does not know",
    "pools/services/housekeeping.py:purge_password_history": "finds pools that remember none, then works pool by pool",
    "pools/services/housekeeping.py:purge_unknown_callers": "what unknown callers left in all pools, by its age",
    "pools/services/housekeeping.py:purge_users": "finds deleted users of all pools, then works pool by pool",
    "pools/services/messages/mailbox.py:captured": "the mailbox of development, of the whole installation",
    "pools/services/pools/certificates.py:roll_due": "finds keys that are due in all pools",
    "pools/services/providers/expiry.py:tell_due": "finds providers of all pools, then works pool by pool",
    "pools/services/providers/expiry.py:gauges": "a figure of the whole installation",
    "pools/services/providers/fetching.py:refresh_due": "finds providers of all pools, then works pool by pool",
    "pools/services/pools/pool_domains.py:named": "domains are unique, and callers name nothing else",
    "pools/services/pools/signing_keys.py:rotate_due": "finds keys that are due in all pools",
}

QUOTED = re.compile(r"'(?:[^']|'')*'")
REFERENCE = re.compile(
    r'\b(?:FROM|JOIN|UPDATE|USING)\s+"?(?P<table>\w+)"?(?:\s+(?:AS\s+)?(?!(?:ON|SET|WHERE|INNER|LEFT|JOIN|ORDER|GROUP'
    r'|LIMIT|FOR|UNION|RETURNING|CROSS|USING|DO)\b)"?(?P<alias>\w+)"?)?',
    re.IGNORECASE,
)
ASSIGNMENTS = re.compile(r"\bSET\b.*?(?=\bWHERE\b|\bFROM\b|\bRETURNING\b|$)", re.IGNORECASE | re.DOTALL)
# Joining the pool's own row narrows nothing.
TO_THE_POOL = re.compile(r'"?\w+"?\."?pool_id"?\s*=\s*\(?"?(?:user_pool|identity_pool)"?\."?id"?', re.IGNORECASE)
COMPARED = r"(?:=|IN\b|IS\b)"
# A range of one pool, which starts behind a row of it.
RANGE = r"\s*,[^()]*\)\s*>\s*\(\s*(%\(\w+\)s|\$\d+)\s*,[^()]*(?:\([^()]*\)[^()]*)*\)\s*AND\s*"
# Somewhere the chain of comparisons must end at a pool that is given.
GIVEN = re.compile(
    rf'pool_id"?\s*(?:=\s*(?:%|ANY\b|\d)|IN\b|IS\b)|%s::bigint\s+AS\s+pool_id|pool_id{RANGE}\w+\.pool_id\s*<=\s*\1',
    re.IGNORECASE,
)
# Taking back part of a transaction changes rows, too.
WRITES = re.compile(
    r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE|COPY|(?P<undone>ROLLBACK))\b\s*(?:ONLY\s+)?"?(\w*)"?',
    re.IGNORECASE,
)
LOCKS = re.compile(r"\b(?:FOR|FOR\s+NO\s+KEY|DO)\s+UPDATE\b", re.IGNORECASE)
written: Counter[str] = Counter()
"""How many statements of this process wrote to each table."""


class Unscoped(AssertionError):
    """A statement does not name the pool."""


@cache
def tables() -> frozenset[str]:
    """Return the tables whose rows belong to a pool."""
    models = apps.get_app_config("pools").get_models()
    return frozenset(
        model._meta.db_table for model in models if any(field.column == "pool_id" for field in model._meta.fields)
    )


@lru_cache(maxsize=4096)
def unnamed(statement: str) -> tuple[str, ...]:
    """Return the tables of pools that a statement reads, changes or joins without comparing their pool."""
    text = TO_THE_POOL.sub(" ", ASSIGNMENTS.sub(" ", QUOTED.sub("''", statement)))
    found = [(each["table"], each["alias"] or each["table"]) for each in REFERENCE.finditer(text)]
    references = [(table, alias) for table, alias in found if table in tables()]
    if not GIVEN.search(text):
        return tuple(table for table, _ in references)
    alone = len(references) == 1
    return tuple(table for table, alias in references if not compared(text, alias, may_be_bare=alone))


def compared(text: str, alias: str, *, may_be_bare: bool) -> bool:
    """Say whether a statement compares the pool of a table that it calls ``alias``."""
    column = rf'(?<![\w."])(?:"?{alias}"?\.)' + ("?" if may_be_bare else "") + r'"?pool_id\b"?'
    range_of_one = rf"\(\s*{column}{RANGE}{column}\s*<=\s*\1"
    return re.search(rf"{range_of_one}|{column}\s*{COMPARED}|=\s*\(?{column}", text, re.IGNORECASE) is not None


@lru_cache(maxsize=4096)
def changed(statement: str) -> frozenset[str]:
    """Return the tables that a statement writes to."""
    return frozenset(found[2] for found in WRITES.finditer(LOCKS.sub(" ", QUOTED.sub("''", statement))))


def writes(*, but: Collection[str] = ()) -> int:
    """Return how many times this process has written to a table, other than these."""
    return sum(count for table, count in written.items() if table not in but)


def responsible() -> str:
    """Return the place of the product that asks, as ``path:function``; empty where a test asks."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        inside = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if inside.parts[0] in PRODUCT and str(inside) != DELETION:
            return f"{inside}:{frame.f_code.co_name}"
        if inside.parts[0] == "tests" and path != Path(__file__):
            return ""
        frame = frame.f_back
    return ""


def check(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: ANN401
    """Refuse a statement of ours that does not name the pool; let any other through."""
    text = sql if isinstance(sql, str) else sql.as_string(None)
    written.update(changed(text))
    found = unnamed(text)
    if found:
        place = responsible()
        if place and place not in BEYOND and not place.startswith("pools/migrations/"):
            problem = f"{MARK}: {', '.join(found)} in {place}: {' '.join(str(sql).split())}"
            print(problem, file=sys.stderr, flush=True)  # noqa: T201 - into a live process's log, whoever swallows it
            raise Unscoped(problem)
    return execute(sql, params, many, context)


def count_copies(copy: Callable[..., Any]) -> Callable[..., Any]:
    """Have COPY counted too: it goes past Django. Its rows name their pool."""

    def counted(cursor: Any, statement: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - psycopg's own
        text = statement if isinstance(statement, str) else statement.as_string(None)
        written.update(changed(text))
        return copy(cursor, statement, *given, **named)

    return counted


def attend(*, connection: Any, **_: object) -> None:  # noqa: ANN401 - a signal's
    """Watch a connection."""
    if check not in connection.execute_wrappers:
        connection.execute_wrappers.append(check)


def watch() -> None:
    """Watch every connection of this process from now on."""
    connection_created.connect(attend, dispatch_uid="tests.statements")
    psycopg.Cursor.copy = count_copies(psycopg.Cursor.copy)  # type: ignore[method-assign]
