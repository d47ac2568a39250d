"""Applications that a pool is a SAML identity provider for, and which of them know of a browser's session."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.app_client import AppClient, text_list
from pools.models.session import BrowserSession
from pools.models.user import User
from pools.models.user_pool import UserPool


class SamlApplication(models.Model):
    """An application that speaks SAML: what it is called, where it takes answers, and what it is told of people.

    It belongs to an app client, whose pages people sign in on and whose readable attributes are all that it is told.
    """

    class NameIdFormat(models.TextChoices):
        """How people are named to it (SAML core 8.3)."""

        PERSISTENT = "persistent"
        TRANSIENT = "transient"
        EMAIL = "emailAddress"
        UNSPECIFIED = "unspecified"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    client = models.ForeignKey(AppClient, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    entity_id = models.CharField(max_length=1024, db_collation="C")
    acs_urls = text_list(2048)
    """Where it takes answers by POST; the first is the default."""
    acs_indexes = ArrayField(models.IntegerField(), db_default=[], default=list)
    """By which a request may name each of them."""
    slo_url = models.CharField(max_length=2048, blank=True, db_default="", default="")
    """Where it takes logout messages by redirect; empty where it takes none."""
    certificates: models.JSONField[list[str], list[str]] = models.JSONField(db_default=[], default=list)
    """By whose keys it signs, DER in base64. Without one it signs nobody out."""
    signs_requests = models.BooleanField(db_default=True, default=True)
    """Whether each request of one with a certificate has to be signed; what is signed is verified either way."""
    encryption_certificate = models.TextField(blank=True, db_default="", default="")
    name_id_format = models.CharField(
        max_length=16, choices=NameIdFormat, db_default=NameIdFormat.PERSISTENT, default=NameIdFormat.PERSISTENT
    )
    name_id_attribute = models.CharField(max_length=64, blank=True, db_default="", default="")
    """The attribute that names people where the format says nothing of it; empty is the username."""
    attributes: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(db_default={}, default=dict)
    """By the name that the application reads, the attribute of the pool that gives its value."""
    signs_assertion = models.BooleanField(db_default=True, default=True)
    signs_response = models.BooleanField(db_default=True, default=True)
    encrypts = models.BooleanField(db_default=False, default=False)
    allows_unasked = models.BooleanField(db_default=False, default=False)
    """Whether sign-in may begin at the pool: an answer to nobody's request."""
    default_relay_state = models.CharField(max_length=1024, blank=True, db_default="", default="")
    """Where an application leads people whose sign-in began at the pool."""
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Entity ids are unique in their pool; an app client has one application. Pages go by id."""

        db_table = "saml_application"
        constraints = [
            models.UniqueConstraint(fields=["pool", "entity_id"], name="saml_application_entity"),
            models.UniqueConstraint(fields=["pool", "client"], name="saml_application_client"),
        ]
        indexes = [models.Index(fields=["pool", "id"], name="saml_application_page")]

    def __str__(self) -> str:
        """Return the entity id."""
        return self.entity_id


class SamlParticipant(models.Model):
    """An application that was told of a browser's session, and by which names it knows it: for single logout."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    session = models.ForeignKey(BrowserSession, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    application = models.ForeignKey(SamlApplication, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    name = models.CharField(max_length=256, db_collation="C")
    """The value of NameID."""
    name_id_format = models.CharField(max_length=16, choices=SamlApplication.NameIdFormat)
    session_index = models.CharField(max_length=64, db_collation="C")
    signed_out_at = models.DateTimeField(null=True)
    """When it was told that the session is over, or told so itself."""
    expires_at = models.DateTimeField()

    class Meta:
        """One for each way of naming; looked for by name. Purged by expiry."""

        db_table = "saml_participant"
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "session", "application", "name_id_format"], name="saml_participant_once"
            )
        ]
        indexes = [
            models.Index(fields=["pool", "application", "name"], name="saml_participant_named"),
            models.Index(fields=["pool", "user"], name="saml_participant_of_user"),
            models.Index(fields=["expires_at"], name="saml_participant_expiry"),
        ]

    def __str__(self) -> str:
        """Return the id."""
        return str(self.id)
