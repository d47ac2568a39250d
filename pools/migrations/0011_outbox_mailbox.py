"""What a message counts towards beside its address: the mailbox that ``name+tag@`` is delivered to.

Rows of before, and of the release before, have none: they count by their address alone.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from pools.models.indexes import AddIndexToPartitions


class Migration(migrations.Migration):
    """Add the column, then its index, outside a transaction, since indexes beside traffic are made in none."""

    atomic = False
    dependencies: ClassVar = [("pools", "0010_form_receipt")]
    operations: ClassVar = [
        migrations.AddField("outboxmessage", "mailbox_hash", models.BinaryField(null=True)),
        AddIndexToPartitions(
            "outboxmessage",
            models.Index(fields=["pool_id", "mailbox_hash", "created_at"], name="outbox_mailbox"),
        ),
    ]
