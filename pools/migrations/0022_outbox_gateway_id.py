"""The id by which whoever carried a message knows it. No row is rewritten; the release before leaves it empty."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add a column with a default that PostgreSQL keeps by itself."""

    dependencies: ClassVar = [("pools", "0021_developer_identities")]
    operations: ClassVar = [
        migrations.AddField(
            "outboxmessage", "gateway_id", models.CharField(blank=True, db_default="", default="", max_length=200)
        ),
    ]
