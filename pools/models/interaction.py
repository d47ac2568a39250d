"""What a browser came for, where it must survive a trip elsewhere."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.user_pool import UserPool


class Interaction(models.Model):
    """A request that was checked once, kept under an id, single use, bound to a browser's cookie."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    kind = models.CharField(max_length=24)
    request: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    browser = models.BinaryField()
    """Keyed hash of the browser's trip cookie."""
    resume = models.CharField(max_length=100)
    """URL name at which it resumes."""
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        """Purged by expiry."""

        db_table = "interaction"
        indexes = [models.Index(fields=["expires_at"], name="interaction_expiry")]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)
