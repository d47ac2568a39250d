"""Purging people costs what it purges: no constraint that reads a whole table for each row, and indexes for the rest.

Each step stands alone and can be tried again; none keeps the release before from writing for longer than a moment.
"""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from pools.models.indexes import AddIndexBesideTraffic

WITHOUT_CONSTRAINT = (
    ("signinname", "user", "pools.user", django.db.models.deletion.DO_NOTHING, "sign_in_names"),
    ("membership", "user", "pools.user", django.db.models.deletion.DO_NOTHING, "memberships"),
    ("membership", "group", "pools.group", django.db.models.deletion.DO_NOTHING, "memberships"),
    ("clientsecret", "client", "pools.appclient", django.db.models.deletion.CASCADE, "secrets"),
)
INDEXES = (
    ("user", models.Index(fields=["deleted_at"], name="pool_user_deleted", condition=models.Q(deleted_at__isnull=False))),
    ("password", models.Index(fields=["pool"], name="password_pool")),
    ("totpfactor", models.Index(fields=["pool"], name="totp_factor_pool")),
)


class Migration(migrations.Migration):
    """Drop and make them, outside a transaction, since indexes beside traffic are made in none."""

    atomic = False
    dependencies: ClassVar = [("pools", "0005_audit_personal_digest")]
    operations: ClassVar = [
        *(
            migrations.AlterField(
                model,
                name,
                models.ForeignKey(
                    to=to, on_delete=on_delete, related_name=related_name, db_index=False, db_constraint=False
                ),
            )
            for model, name, to, on_delete, related_name in WITHOUT_CONSTRAINT
        ),
        *(AddIndexBesideTraffic(model, index) for model, index in INDEXES),
    ]
