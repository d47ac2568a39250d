"""What pools keep for their identity providers: keys, proofs that were taken, and sessions that began there."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.user_pool import UserPool


class UsedProof(models.Model):
    """A provider's word that was taken, and would be good for a while yet: it is taken once (SAML profiles 4.1.4.5)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    hashed = models.BinaryField()
    """Hash of the provider and of the name that it gave its word."""
    expires_at = models.DateTimeField()

    class Meta:
        """One of each; purged by expiry."""

        db_table = "used_proof"
        constraints = [models.UniqueConstraint(fields=["pool", "hashed"], name="used_proof_once")]
        indexes = [models.Index(fields=["expires_at"], name="used_proof_expiry")]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)


class EncryptionKey(models.Model):
    """A key for which providers encrypt what they say to a pool. Two are live: the newest, which they are told of."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    certificate = models.BinaryField()
    """X.509, DER."""
    sealed_private = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """A pool's, by age."""

        db_table = "encryption_key"
        indexes = [models.Index(fields=["pool", "id"], name="encryption_key_of_pool")]

    def __str__(self) -> str:
        """Return whose it is."""
        return str(self.pool_id)


class UpstreamSession(models.Model):
    """A session at a provider that began with a sign-in here: so that either side can end the other's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    provider = models.CharField(max_length=32, db_collation="C")
    subject = models.CharField(max_length=2048, db_collation="C")
    """Who it is there."""
    name = models.BinaryField()
    """Hash of what the provider calls the session."""
    sealed = models.BinaryField()
    """What is said to the provider to end it, one JSON object."""
    expires_at = models.DateTimeField()

    class Meta:
        """Looked for by person; purged by expiry."""

        db_table = "upstream_session"
        indexes = [
            models.Index(fields=["pool", "provider", "subject"], name="upstream_session_of"),
            models.Index(fields=["expires_at"], name="upstream_session_expiry"),
        ]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)
