"""App clients and their secrets."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.user_pool import UserPool


def text_list(length: int = 1024) -> ArrayField[list[str], list[str]]:
    """Return a column holding a list of texts, empty unless given."""
    return ArrayField(models.CharField(max_length=length), db_default=[], default=list)


class AppClient(models.Model):
    """An application of a pool. ``client_id`` is the one public key that is unique over all pools."""

    class Registered(models.TextChoices):
        """How an app registered itself, if it did (RFC 7591 section 3)."""

        NOT = ""
        WITH_TOKEN = "token"  # noqa: S105 - a word
        OPENLY = "openly"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, related_name="clients", db_index=False)
    client_id = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=128)
    confidential = models.BooleanField(db_default=False, default=False)
    auth_flows = text_list(64)
    """ALLOW_… values as given; empty means Cognito's default set."""
    oauth_enabled = models.BooleanField(db_default=False, default=False)
    oauth_flows = text_list(32)
    scopes = text_list(300)
    callback_urls = text_list()
    logout_urls = text_list()
    default_redirect_uri = models.CharField(max_length=1024, blank=True, db_default="", default="")
    identity_providers = text_list(32)
    read_attributes = ArrayField(models.CharField(max_length=2048), null=True, default=None)
    write_attributes = ArrayField(models.CharField(max_length=2048), null=True, default=None)
    access_seconds = models.IntegerField(db_default=3600, default=3600)
    id_seconds = models.IntegerField(db_default=3600, default=3600)
    refresh_seconds = models.IntegerField(db_default=2592000, default=2592000)
    validity: models.JSONField[dict[str, object], dict[str, object]] = models.JSONField(db_default={}, default=dict)
    """Validities and units as they were given, to be told back: access, id, refresh, units{access, id, refresh}."""
    session_minutes = models.SmallIntegerField(db_default=3, default=3)
    hide_existence = models.BooleanField(db_default=False, default=False)
    """PreventUserExistenceErrors=ENABLED."""
    revocation = models.BooleanField(db_default=True, default=True)
    rotation = models.BooleanField(db_default=False, default=False)
    rotation_grace_seconds = models.SmallIntegerField(db_default=0, default=0)
    propagate_context = models.BooleanField(db_default=False, default=False)
    openid_strict = models.BooleanField(db_default=False, default=False)
    """Whether OpenID Connect's rules hold where Cognito's are others (``services.openid``)."""
    registered = models.CharField(
        max_length=8, choices=Registered, blank=True, db_default=Registered.NOT, default=Registered.NOT
    )
    explicit: models.JSONField[list[str], list[str]] = models.JSONField(db_default=[], default=list)
    """Names of optional settings that were given, since Cognito tells back only those."""
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Pages of a pool's clients go by id."""

        db_table = "app_client"
        indexes = [models.Index(fields=["pool", "id"], name="app_client_page")]

    def __str__(self) -> str:
        """Return the client id."""
        return self.client_id


class ClientSecret(models.Model):
    """A client's secret: sealed to be told back, hashed under a key to be compared. At most two are live."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    client = models.ForeignKey(
        AppClient, on_delete=models.CASCADE, related_name="secrets", db_index=False, db_constraint=False
    )
    sealed = models.BinaryField()
    hashed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Read with the client."""

        db_table = "client_secret"
        indexes = [models.Index(fields=["pool", "client", "id"], name="client_secret_of")]

    def __str__(self) -> str:
        """Return whose secret it is."""
        return str(self.client_id)
