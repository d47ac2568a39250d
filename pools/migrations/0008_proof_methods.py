"""How people proved who they are, kept from a code to what is refreshed. Rows of before say nothing of it.

Both tables in the order in which a redemption takes them, and apart from the migration before: nobody waits in a ring.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the columns, whose default is a constant: no row is written."""

    dependencies: ClassVar = [("pools", "0007_openid_strict")]
    operations: ClassVar = [
        migrations.AddField(
            model, "methods", ArrayField(models.CharField(max_length=16), db_default=[], default=list)
        )
        for model in ("authorizationcode", "refreshfamily")
    ]
