"""What a browser came for, where it must survive a trip elsewhere; and what it was answered, where it asks twice."""

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


class FormReceipt(models.Model):
    """A form that was accepted, and what its browser was answered: for the same form sent twice. Lives a minute.

    Made in the transaction of what was accepted, so that one is there exactly when the other is.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    """Nobody's number where the form is the console's."""
    key = models.BinaryField()
    """Keyed hash of the form's token and of all that was filled in."""
    browser = models.BinaryField()
    """Keyed hash of the nonce that the browser held."""
    next_browser = models.BinaryField(null=True)
    """Keyed hash of the nonce that the answer gave it."""
    answer = models.TextField(db_default="", default="", blank=True)
    """Where to go and which cookies to set, sealed; empty until it is known."""
    expires_at = models.DateTimeField()

    class Meta:
        """One a form; purged by expiry."""

        db_table = "form_receipt"
        constraints = [models.UniqueConstraint(fields=["pool", "key"], name="form_receipt_one")]
        indexes = [models.Index(fields=["expires_at"], name="form_receipt_expiry")]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)
