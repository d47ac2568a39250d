"""Guests of whom it is known that they never had credentials, and how to find them. No row is written.

The index is made beside traffic. The release before makes guests that count as having had some, and never go.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from pools.models.indexes import AddIndexBesideTraffic

INDEX = models.Index(fields=["id"], name="identity_unused", condition=models.Q(unused=True, member=False))


class Migration(migrations.Migration):
    """Add both, outside a transaction, since indexes beside traffic are made in none."""

    atomic = False
    dependencies: ClassVar = [("pools", "0012_recent_proof")]
    operations: ClassVar = [
        migrations.AddField("identity", "unused", models.BooleanField(db_default=False, default=False)),
        AddIndexBesideTraffic("identity", INDEX),
    ]
