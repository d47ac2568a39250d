"""State of signing in: attempts, guesses, what is spent, browser sessions."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.app_client import AppClient
from pools.models.user import User
from pools.models.user_pool import UserPool


class Attempt(models.Model):
    """A sign-in after its first proof. The attempt token is the sealed id and step; answering spends the step.

    ``user`` is the subject's id: a decoy's too, whom no row of ``pool_user`` answers to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    client = models.ForeignKey(AppClient, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    step = models.IntegerField(db_default=0, default=0)
    strikes = models.SmallIntegerField(db_default=0, default=0)
    open = models.BooleanField(db_default=True, default=True)
    evidence: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """Which factors were proven, when, and what the sign-in is for."""
    epoch = models.IntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        """Purged by expiry."""

        db_table = "attempt"
        indexes = [models.Index(fields=["expires_at"], name="attempt_expiry")]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)


class Guess(models.Model):
    """How often a subject was guessed at lately. ``subject`` is a user's id or a decoy's, so that both lock alike."""

    class Kind(models.TextChoices):
        """What was guessed."""

        PASSWORD = "password"  # noqa: S105 - a kind
        TOTP = "totp"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    subject = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind)
    failures = models.IntegerField(db_default=0, default=0)
    locked_until = models.DateTimeField(null=True)
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        """One counter a subject and kind."""

        db_table = "guess"
        constraints = [models.UniqueConstraint(fields=["pool", "subject", "kind"], name="guess_one")]

    def __str__(self) -> str:
        """Return the subject."""
        return str(self.subject)


class Spent(models.Model):
    """Ids of sealed attempts that succeeded: each may succeed once. Partitioned by day (see the migration)."""

    id = models.UUIDField(primary_key=True)

    class Meta:
        """Made by hand in the migration, since Django knows no partitions."""

        db_table = "spent"

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)


class BrowserSession(models.Model):
    """A browser that is signed in to a pool. The cookie holds id and secret; only the secret's hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    hashed = models.BinaryField()
    epoch = models.IntegerField()
    auth_time = models.DateTimeField()
    methods: models.JSONField[list[str], list[str]] = models.JSONField(db_default=[], default=list)
    """How the person proved who they are (RFC 8176 values)."""
    event_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Read by id; a user's are listed."""

        db_table = "browser_session"
        indexes = [
            models.Index(fields=["pool", "user", "id"], name="browser_session_of_user"),
            models.Index(fields=["expires_at"], name="browser_session_expiry"),
        ]

    def __str__(self) -> str:
        """Return the id; never the secret."""
        return str(self.id)
