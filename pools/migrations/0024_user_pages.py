"""Pages of users by status, and of those who may sign in, at one cost however many those are.

Indexes are made beside traffic, and what they stand for goes last. No row is written. The release before goes on
without the old ones, as it did where most users had another status than it thought.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from pools.models.indexes import AddIndexBesideTraffic

LIVE = models.Q(deleted_at=None)


class Migration(migrations.Migration):
    """Make the new indexes, then drop the old ones, outside a transaction."""

    atomic = False
    dependencies: ClassVar = [("pools", "0023_password_history")]
    operations: ClassVar = [
        AddIndexBesideTraffic(
            "user", models.Index(fields=["pool", "status", "id"], name="pool_user_of_status", condition=LIVE)
        ),
        AddIndexBesideTraffic(
            "user", models.Index(fields=["pool", "enabled", "id"], name="pool_user_of_enabled", condition=LIVE)
        ),
        RemoveIndexConcurrently("user", "pool_user_status"),
        RemoveIndexConcurrently("user", "pool_user_disabled"),
    ]
