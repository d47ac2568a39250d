"""Indexes that a migration makes beside living traffic: nobody is kept from writing, and a second try is safe."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddConstraint, AddIndex

from pools.models import partitions

DROP = "DROP INDEX CONCURRENTLY IF EXISTS {name}"
# Making it waits for whoever writes now, for as long as reading the table takes; nobody waits for it.
PATIENT = "SET lock_timeout = 0; SET statement_timeout = 0"
AS_BEFORE = "RESET lock_timeout; RESET statement_timeout"
OF_ALL = "CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} ({columns})"
OF_PART = "CREATE INDEX CONCURRENTLY {own} ON {part} ({columns})"
ATTACH = "ALTER INDEX {name} ATTACH PARTITION {own}"


class AddIndexBesideTraffic(AddIndexConcurrently):
    """Adds an index CONCURRENTLY. What a try that was broken off left behind, valid or not, goes first."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ANN401 - Django's
        """Make the index."""
        self._ensure_not_in_transaction(schema_editor)
        schema_editor.execute(PATIENT)
        try:
            schema_editor.execute(DROP.format(name=schema_editor.quote_name(self.index.name)))
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.execute(AS_BEFORE)


class AddUniqueBesideTraffic(AddConstraint):
    """Adds a unique constraint that is an index (of expressions, or with a condition) CONCURRENTLY, as above."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ANN401, ARG002 - Django's
        """Make the index."""
        made = str(self.constraint.create_sql(to_state.apps.get_model(app_label, self.model_name), schema_editor))
        schema_editor.execute(PATIENT)
        try:
            schema_editor.execute(DROP.format(name=schema_editor.quote_name(self.constraint.name)))
            schema_editor.execute(
                made.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1), params=None
            )
        finally:
            schema_editor.execute(AS_BEFORE)


class AddIndexToPartitions(AddIndex):
    """Adds an index to a partitioned table: CONCURRENTLY to each partition, then to all of it. Outside a transaction.

    Alone, PostgreSQL would keep everybody from writing until it has read all partitions. A second try goes on where
    the first was broken off; partitions made meanwhile have the index from the first moment.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ANN401, ARG002 - Django's
        """Make the index."""
        model = to_state.apps.get_model(app_label, self.model_name)
        meta, quote = model._meta, schema_editor.quote_name  # noqa: SLF001 - documented by Django
        columns = ", ".join(quote(meta.get_field(name).column) for name in self.index.fields)
        schema_editor.execute(OF_ALL.format(name=quote(self.index.name), table=quote(meta.db_table), columns=columns))
        done = partitions.indexed(self.index.name)
        schema_editor.execute(PATIENT)
        try:
            for part in partitions.existing(meta.db_table):
                if part not in done:
                    names = {"part": quote(part), "own": quote(f"{part}_{self.index.name}"), "columns": columns}
                    schema_editor.execute(DROP.format(name=names["own"]))
                    schema_editor.execute(OF_PART.format(**names))
                    schema_editor.execute(ATTACH.format(name=quote(self.index.name), **names))
        finally:
            schema_editor.execute(AS_BEFORE)
