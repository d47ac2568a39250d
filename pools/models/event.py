"""What happened: audit rows and sign-in events. Appended, never changed; partitioned by month (see the migration)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7


class AuditEvent(models.Model):
    """A change, a refusal or a vending. ``digest`` covers the canonical bytes of the format that ``format`` numbers."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool_id = models.BigIntegerField(null=True)
    identity_pool_id = models.BigIntegerField(null=True)
    tag = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=128, blank=True)
    subject = models.CharField(max_length=128, blank=True)
    """Id of what it happened to: a user's sub, a client id, an identity id."""
    outcome = models.CharField(max_length=8)
    """``done`` or ``refused``."""
    detail: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    request_id = models.CharField(max_length=36, blank=True)
    format = models.SmallIntegerField(default=1)
    personal_digest = models.BinaryField(db_default=b"", default=b"")
    """Salted, of the side row's values: it stays when they are erased. Empty without a side row."""
    digest = models.BinaryField()
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Newest of a pool, newest of a subject."""

        db_table = "audit_event"
        indexes = [
            models.Index(fields=["pool_id", "-id"], name="audit_event_page"),
            models.Index(fields=["pool_id", "subject", "-id"], name="audit_event_subject"),
        ]

    def __str__(self) -> str:
        """Return the tag."""
        return self.tag


class AuditPersonal(models.Model):
    """Personal values of an audit row, erasable: the row's digest covers only their salted digest."""

    id = models.UUIDField(primary_key=True)
    pool_id = models.BigIntegerField(null=True)
    salt = models.BinaryField()
    values: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        """Partitioned like its row."""

        db_table = "audit_personal"

    def __str__(self) -> str:
        """Return the row's id."""
        return str(self.id)


class AuthEvent(models.Model):
    """A sign-in, or a refused one. ``id`` is the ``event_id`` of tokens."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool_id = models.BigIntegerField()
    client_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=16)
    passed = models.BooleanField()
    reason = models.CharField(max_length=60, blank=True)
    methods: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=36, blank=True)
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Newest of a user, newest of a pool."""

        db_table = "auth_event"
        indexes = [
            models.Index(fields=["pool_id", "user_id", "-id"], name="auth_event_user"),
            models.Index(fields=["pool_id", "-id"], name="auth_event_page"),
        ]

    def __str__(self) -> str:
        """Return the kind."""
        return self.kind
