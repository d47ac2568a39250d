"""Imports of users from a CSV file: the job, the file in sealed pieces while it is needed, and what failed by line."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.user_pool import UserPool


class UserImportJob(models.Model):
    """One import. What it did so far moves in the transactions that do it: ``chunk`` and ``line`` say where it goes on.

    ``upload`` names the pieces that count: of two uploads, those of the one that was whole last.
    """

    class Status(models.TextChoices):
        """Cognito's UserImportJobStatusType."""

        CREATED = "Created", "Created"
        PENDING = "Pending", "Pending"
        IN_PROGRESS = "InProgress", "InProgress"
        STOPPING = "Stopping", "Stopping"
        EXPIRED = "Expired", "Expired"
        STOPPED = "Stopped", "Stopped"
        FAILED = "Failed", "Failed"
        SUCCEEDED = "Succeeded", "Succeeded"

    class Hashing(models.TextChoices):
        """Cognito's PasswordHashingAlgorithmType."""

        BCRYPT = "BCRYPT", "bcrypt"
        SCRYPT = "SCRYPT", "scrypt"
        ARGON2ID = "ARGON2ID", "Argon2id"
        PBKDF2_SHA256 = "PBKDF2_SHA256", "PBKDF2-SHA256"

    UNDER_WAY = (Status.PENDING, Status.IN_PROGRESS, Status.STOPPING)

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    public_id = models.CharField(max_length=55)
    name = models.CharField(max_length=128)
    log_role = models.CharField(max_length=2048)
    """Amazon's role for its log service: told back, and of no use here."""
    hashing = models.CharField(max_length=16, choices=Hashing, blank=True, db_default="", default="")
    """The algorithm of the password hashes in the file; empty where it has none."""
    status = models.CharField(max_length=12, choices=Status, db_default=Status.CREATED, default=Status.CREATED)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    upload = models.UUIDField(null=True)
    chunks = models.IntegerField(db_default=0, default=0)
    chunk = models.IntegerField(db_default=0, default=0)
    """The piece to read next."""
    line = models.IntegerField(db_default=0, default=0)
    """The last line that was read."""
    columns: models.JSONField[list[str], list[str]] = models.JSONField(db_default=[], default=list)
    """The file's first line."""
    imported = models.IntegerField(db_default=0, default=0)
    skipped = models.IntegerField(db_default=0, default=0)
    failed = models.IntegerField(db_default=0, default=0)
    message = models.CharField(max_length=128, blank=True, db_default="", default="")
    leased_until = models.DateTimeField(null=True)
    """Until when a worker has it: another takes over then."""

    class Meta:
        """One import of a pool at a time."""

        db_table = "user_import_job"
        constraints = [
            models.UniqueConstraint(fields=["pool", "public_id"], name="user_import_job_id"),
            models.UniqueConstraint(
                fields=["pool"],
                name="user_import_job_one",
                condition=Q(status__in=("Pending", "InProgress", "Stopping")),
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "-id"], name="user_import_job_page"),
            # Of all pools: what the sweep asks for.
            models.Index(
                fields=["created_at"],
                name="user_import_job_open",
                condition=Q(status__in=("Created", "Pending", "InProgress", "Stopping")),
            ),
        ]

    def __str__(self) -> str:
        """Return Cognito's id of it."""
        return self.public_id


class UserImportChunk(models.Model):
    """Some whole lines of an uploaded file, sealed; gone when the job is over."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    job = models.ForeignKey(UserImportJob, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    upload = models.UUIDField()
    number = models.IntegerField()
    line = models.IntegerField()
    """The number of its first line; the file's first is 1."""
    sealed = models.BinaryField()

    class Meta:
        """Read in order."""

        db_table = "user_import_chunk"
        constraints = [
            models.UniqueConstraint(fields=["pool", "job", "upload", "number"], name="user_import_chunk_one")
        ]

    def __str__(self) -> str:
        """Return which piece it is."""
        return f"{self.upload}:{self.number}"


class UserImportLine(models.Model):
    """A line that made no user, and why. It quotes nothing of the line: who looks after an import reads it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    job = models.ForeignKey(UserImportJob, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    number = models.IntegerField()
    skipped = models.BooleanField(db_default=False, default=False)
    """The user was there already."""
    reason = models.CharField(max_length=256)

    class Meta:
        """Read in order."""

        db_table = "user_import_line"
        constraints = [models.UniqueConstraint(fields=["pool", "job", "number"], name="user_import_line_one")]

    def __str__(self) -> str:
        """Return the line and what is wrong with it."""
        return f"{self.number}: {self.reason}"
