"""Whether people who sign out here are sent to their provider to sign out too. No row is rewritten."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add a column with a default that PostgreSQL keeps by itself."""

    dependencies: ClassVar = [("pools", "0026_client_registration")]
    operations: ClassVar = [
        migrations.AddField("identityprovider", "signs_out", models.BooleanField(db_default=False, default=False)),
    ]
