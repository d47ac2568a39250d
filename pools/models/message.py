"""Mail and SMS that must go out: PostgreSQL is the queue, Celery's message a hint."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from identity.foundation.names import uuid7


class OutboxMessage(models.Model):
    """A message, written in the transaction of what caused it. Partitioned by month (see the migration).

    ``pending`` → (leased) → ``handing`` → ``sent``, or ``expired``, ``failed``, ``doubtful``. The body is sealed and is
    erased once sent.
    """

    class State(models.TextChoices):
        """Where the message is."""

        PENDING = "pending"
        HANDING = "handing"
        SENT = "sent"
        EXPIRED = "expired"
        FAILED = "failed"
        DOUBTFUL = "doubtful"

    class Lane(models.TextChoices):
        """Which queue carries it."""

        NOW = "now"
        BULK = "bulk"
        TASKS = "tasks"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool_id = models.BigIntegerField()
    client_id = models.UUIDField(null=True)
    lane = models.CharField(max_length=5, choices=Lane, default=Lane.NOW)
    channel = models.CharField(max_length=5)
    """``email`` or ``sms``."""
    purpose = models.CharField(max_length=24)
    recipient_hash = models.BinaryField()
    """Keyed hash of the address, for send limits after the body is erased."""
    mailbox_hash = models.BinaryField(null=True)
    """The same of the address without its ``+tag``."""
    sealed = models.BinaryField(null=True)
    """JSON: to, subject, text, html."""
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.SmallIntegerField(default=0)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True, default="")
    request_id = models.CharField(max_length=36, blank=True, db_default="", default="")
    """Of the request that caused it: whoever delivers says it in the log."""
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    gateway_id = models.CharField(max_length=200, blank=True, db_default="", default="")
    """By which whoever carried it knows it, where it says one."""

    class Meta:
        """The sweep reads what is due; send limits read an address's latest."""

        db_table = "outbox"
        indexes = [
            models.Index(fields=["due_at"], name="outbox_due", condition=Q(state__in=["pending", "handing"])),
            models.Index(fields=["pool_id", "recipient_hash", "created_at"], name="outbox_recipient"),
            models.Index(fields=["pool_id", "mailbox_hash", "created_at"], name="outbox_mailbox"),
            models.Index(fields=["pool_id", "client_id", "created_at"], name="outbox_client"),
        ]

    def __str__(self) -> str:
        """Return the id, which is the Message-ID too."""
        return str(self.id)


class CapturedMessage(models.Model):
    """A message that was kept here (``MAIL_CHANNEL=captured``). The outbox id makes it exactly once."""

    id = models.UUIDField(primary_key=True)
    pool_id = models.BigIntegerField()
    channel = models.CharField(max_length=5)
    to = models.CharField(max_length=2048)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    html = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Newest first, or newest of an address."""

        db_table = "captured_message"
        indexes = [models.Index(fields=["to", "-id"], name="captured_message_to")]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)


class PeriodicTask(models.Model):
    """When a periodic task is due next: beat may run twice, the task runs once."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Table name."""

        db_table = "periodic_task"

    def __str__(self) -> str:
        """Return the task's name."""
        return self.name
