"""Pages of all of a pool's identities, and logins of its developers, who may know one identity by several ids.

Indexes are made beside traffic, and what they stand for goes last. No row is written. The release before, which has no
such logins, goes on with either.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from pools.models.indexes import AddIndexBesideTraffic, AddUniqueBesideTraffic

OF_DEVELOPERS = models.Case(
    models.When(provider="cognito-identity.amazonaws.com", then="subject"), default=models.Value("")
)
ONE_EACH = models.UniqueConstraint(
    "identity", "pool", "provider", OF_DEVELOPERS, name="identity_login_one_each_kind"
)


class Migration(migrations.Migration):
    """Make the new indexes, then drop the old ones, outside a transaction."""

    atomic = False
    dependencies: ClassVar = [("pools", "0020_pool_domain_configuration")]
    operations: ClassVar = [
        AddIndexBesideTraffic("identity", models.Index(fields=["pool", "id"], name="identity_of_pool")),
        RemoveIndexConcurrently("identity", "identity_page"),
        migrations.AlterField("identitylogin", "subject", models.CharField(max_length=1024)),
        AddUniqueBesideTraffic("identitylogin", ONE_EACH),
        migrations.RemoveConstraint("identitylogin", "identity_login_one_each"),
    ]
