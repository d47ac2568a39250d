"""Indexes of partitioned tables: made partition by partition, and gone on with where a try was broken off."""

from __future__ import annotations

from types import SimpleNamespace

from django.apps import apps
from django.db import connection

from pools.models import OutboxMessage, partitions
from pools.models.indexes import AddIndexToPartitions

NAME = "outbox_mailbox"


def is_valid() -> bool:
    """Say whether the whole table has the index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [NAME])
        row = cursor.fetchone()
    return bool(row and row[0])


def test_an_index_that_some_partitions_have_is_given_to_the_rest(transactional_db: None) -> None:
    parts = partitions.existing("outbox")
    assert partitions.indexed(NAME) == set(parts)  # as the migration left it
    first = parts[0]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {NAME}")
        cursor.execute(f"CREATE INDEX {NAME} ON ONLY outbox (pool_id, mailbox_hash, created_at)")
        cursor.execute(f"CREATE INDEX {first}_{NAME} ON {first} (purpose)")  # what a try left that was broken off
    assert not is_valid()
    [index] = [each for each in OutboxMessage._meta.indexes if each.name == NAME]
    operation, state = AddIndexToPartitions("outboxmessage", index), SimpleNamespace(apps=apps)

    for _ in range(2):
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("pools", editor, state, state)

        assert is_valid()
        assert partitions.indexed(NAME) == set(parts)
