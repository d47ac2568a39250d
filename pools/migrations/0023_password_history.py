"""What people's last passwords are known by, where a pool asks for that. No row is rewritten.

The release before knows neither: passwords that it sets are not remembered, and none is refused by it.
"""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import identity.foundation.names


class Migration(migrations.Migration):
    """Add two columns, one with a default that PostgreSQL keeps by itself, and the table."""

    dependencies: ClassVar = [("pools", "0022_outbox_gateway_id")]
    operations: ClassVar = [
        migrations.AddField("userpool", "password_history_since", models.DateTimeField(null=True)),
        migrations.AddField("userpool", "password_history_size", models.SmallIntegerField(db_default=0, default=0)),
        migrations.CreateModel(
            name="PasswordHistory",
            fields=[
                ("id", models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ("keyed_hash", models.BinaryField()),
                ("set_at", models.DateTimeField()),
                (
                    "pool",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to="pools.userpool"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="password_history",
                        to="pools.user",
                    ),
                ),
            ],
            options={
                "db_table": "password_history",
                "indexes": [models.Index(fields=["pool", "set_at"], name="password_history_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("pool", "user", "keyed_hash"), name="password_history_once")
                ],
            },
        ),
    ]
