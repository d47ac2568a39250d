"""Indexes that a migration makes beside living traffic: nobody is kept from writing, and a second try is safe."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently

DROP = "DROP INDEX CONCURRENTLY IF EXISTS {name}"
# Making it waits for whoever writes now, for as long as reading the table takes; nobody waits for it.
PATIENT = "SET lock_timeout = 0; SET statement_timeout = 0"
AS_BEFORE = "RESET lock_timeout; RESET statement_timeout"


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
