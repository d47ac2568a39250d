"""People are found whatever the case of their letters: indexes of small letters, at the cost of those they stand for.

Indexes are made beside traffic, and what they stand for goes last. The release before goes on without the old ones: its
pages of such a filter are right, and cost what the pool does until it is gone.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Collate

from pools.models.indexes import AddIndexBesideTraffic
from pools.models.letter_case import SmallLetters

COLUMNS = ("email", "name", "given_name", "family_name", "preferred_username")


class Migration(migrations.Migration):
    """Make the new indexes, then drop the old ones, outside a transaction."""

    atomic = False
    dependencies: ClassVar = [("pools", "0033_password_hashes")]
    operations: ClassVar = [
        *(
            AddIndexBesideTraffic(
                "user",
                models.Index(
                    "pool",
                    Collate(SmallLetters(column), "C"),
                    "id",
                    name=f"pool_user_lower_{column}"[:30],
                    condition=models.Q(**{f"{column}__isnull": False}),
                ),
            )
            for column in COLUMNS
        ),
        *(RemoveIndexConcurrently("user", f"pool_user_{column}"[:30]) for column in COLUMNS),
    ]
