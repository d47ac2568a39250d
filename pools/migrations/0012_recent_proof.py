"""A pool's switch: changes of how one signs in need a recent sign-in. The column's default is a constant: no row is written."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add it, off."""

    dependencies: ClassVar = [("pools", "0011_outbox_mailbox")]
    operations: ClassVar = [
        migrations.AddField("userpool", "recent_proof", models.BooleanField(db_default=False, default=False)),
    ]
