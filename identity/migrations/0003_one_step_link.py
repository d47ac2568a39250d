"""Operators may have one link that signs in by itself, in development."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the column."""

    dependencies: ClassVar = [("identity", "0002_operator_seed")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="operator",
            name="one_step_link",
            field=models.UUIDField(editable=False, null=True),
        ),
    ]
