"""Apps that register themselves, where a pool lets them. No row is rewritten.

The release before knows none of it: it lets nobody register, and takes apps that registered for any other.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from pools.models.user_pool import grants_openly, grants_with_token

ONE = models.CharField(max_length=32)
HOW = [("", "Not"), ("token", "With Token"), ("openly", "Openly")]


class Migration(migrations.Migration):
    """Add columns with defaults that PostgreSQL keeps by itself."""

    dependencies: ClassVar = [("pools", "0025_identity_providers")]
    operations: ClassVar = [
        migrations.AddField(
            "appclient",
            "registered",
            models.CharField(max_length=8, choices=HOW, blank=True, db_default="", default=""),
        ),
        migrations.AddField("userpool", "registration", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("userpool", "open_registration", models.BooleanField(db_default=False, default=False)),
        migrations.AddField(
            "userpool",
            "registration_grants",
            ArrayField(ONE, db_default=["code", "client_credentials"], default=grants_with_token),
        ),
        migrations.AddField(
            "userpool", "open_registration_grants", ArrayField(ONE, db_default=["code"], default=grants_openly)
        ),
        migrations.AddField(
            "userpool",
            "registration_scopes",
            ArrayField(models.CharField(max_length=300), db_default=[], default=list),
        ),
    ]
