"""What a grant carries becomes one column, and each replaced refresh token keeps its own grace time.

Defaults are constants: no row is written. Rows of before, and of processes of the release before, stay empty there and
are read by the columns they have.
"""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the columns, and a default for one that will not be written any more."""

    dependencies: ClassVar = [("pools", "0014_task_lane")]
    operations: ClassVar = [
        migrations.AddField("authorizationcode", "bound", models.JSONField(db_default={}, default=dict)),
        migrations.AddField("refreshfamily", "bound", models.JSONField(db_default={}, default=dict)),
        migrations.AddField("refreshfamily", "rotations", models.JSONField(db_default={}, default=dict)),
        migrations.AlterField(
            "authorizationcode",
            "scopes",
            django.contrib.postgres.fields.ArrayField(models.CharField(max_length=300), db_default=[], default=list),
        ),
    ]
