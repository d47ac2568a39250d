"""Whether an address was proven may never have been said: two columns take NULL, and lose their default.

The release before writes true or false, and reads NULL as not proven. Neither step reads or writes the table.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Change what the catalogue says of the columns, and no row."""

    dependencies: ClassVar = [("pools", "0008_proof_methods")]
    operations: ClassVar = [
        migrations.AlterField("user", name, models.BooleanField(null=True, default=None))
        for name in ("email_verified", "phone_number_verified")
    ]
