"""Receipts of accepted forms: a table that churns, since a row lives for a minute and is written twice."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import identity.foundation.names

ROOM = "ALTER TABLE form_receipt SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)"


class Migration(migrations.Migration):
    """Make it. The release before knows nothing of it."""

    dependencies: ClassVar = [("pools", "0009_verified_or_never_said")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="FormReceipt",
            fields=[
                ("id", models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ("key", models.BinaryField()),
                ("browser", models.BinaryField()),
                ("next_browser", models.BinaryField(null=True)),
                ("answer", models.TextField(blank=True, db_default="", default="")),
                ("expires_at", models.DateTimeField()),
                (
                    "pool",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="pools.userpool",
                    ),
                ),
            ],
            options={
                "db_table": "form_receipt",
                "indexes": [models.Index(fields=["expires_at"], name="form_receipt_expiry")],
                "constraints": [models.UniqueConstraint(fields=("pool", "key"), name="form_receipt_one")],
            },
        ),
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
    ]
