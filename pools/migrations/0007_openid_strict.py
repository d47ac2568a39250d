"""An app's switch between OpenID Connect's rules and Cognito's. The column's default is a constant: no row is written."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add it, off."""

    dependencies: ClassVar = [("pools", "0006_purging")]
    operations: ClassVar = [
        migrations.AddField("appclient", "openid_strict", models.BooleanField(db_default=False, default=False)),
    ]
