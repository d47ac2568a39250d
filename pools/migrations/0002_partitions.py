"""What Django cannot say: appended tables are partitioned by their time-ordered id, churning ones keep room for HOT.

Partitions by day (``spent``) or month are made ahead by ``pools.tasks.make_partitions``; the default partition
takes rows for which none was made, so that a task that did not run costs tidiness, not data. Retention drops whole
partitions. The primary key stays one column, so Django never notices.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

PARTITIONED = ("spent", "audit_event", "audit_personal", "auth_event", "outbox")
CHURNING = ("refresh_family", "guess", "attempt", "one_time_code", "browser_session", "totp_factor")

PARTITION = """
DO $$
DECLARE
    definitions text[];
    definition text;
BEGIN
    SELECT coalesce(array_agg(pg_get_indexdef(indexrelid)), '{{}}') INTO definitions
        FROM pg_index WHERE indrelid = '{table}'::regclass AND NOT indisprimary;
    ALTER TABLE {table} RENAME TO {table}_plain;
    CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
    DROP TABLE {table}_plain;
    ALTER TABLE {table} ADD PRIMARY KEY (id);
    FOREACH definition IN ARRAY definitions LOOP
        EXECUTE definition;
    END LOOP;
    CREATE TABLE {table}_default PARTITION OF {table} DEFAULT;
END $$;
"""
ROOM = "ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)"


class Migration(migrations.Migration):
    """Make appended tables partitioned while they are still empty."""

    dependencies: ClassVar = [("pools", "0001_initial")]
    operations: ClassVar = [
        *(migrations.RunSQL(PARTITION.format(table=table), migrations.RunSQL.noop) for table in PARTITIONED),
        *(migrations.RunSQL(ROOM.format(table=table), migrations.RunSQL.noop) for table in CHURNING),
    ]
