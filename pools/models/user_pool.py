"""User pools, their domains and resource servers."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


def grants_with_token() -> list[str]:
    """Return the grants that apps may register for with a token, where nothing else was said."""
    return ["code", "client_credentials"]


def grants_openly() -> list[str]:
    """Return the grants that apps may register for without one, where nothing else was said."""
    return ["code"]


class UserPool(models.Model):
    """A user directory. The bigint id is never shown; ``public_id`` is ``{region}_{nine alphanumerics}``.

    ``version`` and ``changed_at`` are bumped by each write to the pool's configuration (clients, keys, domains and
    resource servers included): processes poll them to drop what they hold.
    """

    class Mfa(models.TextChoices):
        """Whether a second factor is asked for."""

        OFF = "OFF"
        OPTIONAL = "OPTIONAL"
        ON = "ON"

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=55, unique=True)
    name = models.CharField(max_length=128)
    mfa = models.CharField(max_length=8, choices=Mfa, db_default=Mfa.OFF, default=Mfa.OFF)
    totp_enabled = models.BooleanField(db_default=False, default=False)
    sms_enabled = models.BooleanField(db_default=False, default=False)
    """Whether codes by SMS may be people's second factor."""
    case_sensitive = models.BooleanField(db_default=True, default=True)
    username_attributes = ArrayField(models.CharField(max_length=20), db_default=[], default=list)
    alias_attributes = ArrayField(models.CharField(max_length=20), db_default=[], default=list)
    auto_verified = ArrayField(models.CharField(max_length=20), db_default=[], default=list)
    admin_only_sign_up = models.BooleanField(db_default=False, default=False)
    deletion_protected = models.BooleanField(db_default=False, default=False)
    recent_proof = models.BooleanField(db_default=False, default=False)
    """Whether an access token changes how its person signs in only for so long after the sign-in as on the pages."""
    notices_of_api_changes = models.BooleanField(db_default=False, default=False)
    """Whether people are mailed what the wire API changes of their passwords and factors."""
    password_policy: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """minimum_length, require_{upper,lower}case, require_{numbers,symbols}, temporary_password_validity_days."""
    password_history_size = models.SmallIntegerField(db_default=0, default=0)
    """How many of a person's last passwords, the present one with them, may not be chosen again. None where zero."""
    password_history_since = models.DateTimeField(null=True)
    """When that was switched on: what was noted before is void. Null where it is off."""
    registration = models.BooleanField(db_default=False, default=False)
    """Whether apps may register themselves (``services.pools.client_registration``), with a token of the pool."""
    open_registration = models.BooleanField(db_default=False, default=False)
    """Whether they may without one."""
    registration_grants = ArrayField(
        models.CharField(max_length=32), db_default=["code", "client_credentials"], default=grants_with_token
    )
    open_registration_grants = ArrayField(models.CharField(max_length=32), db_default=["code"], default=grants_openly)
    registration_scopes = ArrayField(models.CharField(max_length=300), db_default=[], default=list)
    """What apps that registered themselves may ask for, beside the scopes of OpenID Connect."""
    schema: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """By attribute name (custom ones with ``custom:``): type, mutable, required, constraints. Only what differs."""
    configuration: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """The rest as it was given, in snake_case: templates, recovery, update settings, email, tags, tier."""
    sealed_decoy_key = models.BinaryField()
    """Permanent: SRP salts and decoys of the pool hang on it."""
    version = models.BigIntegerField(db_default=1, default=1)
    changed_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        """Pages of pools go by id; the poll for changes goes by ``changed_at``."""

        db_table = "user_pool"
        indexes = [
            models.Index(fields=["changed_at"], name="user_pool_changed"),
            models.Index(fields=["id"], name="user_pool_live", condition=Q(deleted_at=None)),
        ]

    def __str__(self) -> str:
        """Return the public id."""
        return self.public_id

    @property
    def second_factors(self) -> tuple[str, ...]:
        """Return the kinds of second factors that the pool lets people have."""
        if self.mfa == self.Mfa.OFF:
            return ()
        is_open = {"totp": self.totp_enabled, "sms": self.sms_enabled}
        return tuple(kind for kind, is_on in is_open.items() if is_on)


class PoolDomain(models.Model):
    """A host name of a pool: a prefix under the installation's domain, or a custom one. Unique in the installation."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, related_name="domains", db_index=False)
    name = models.CharField(max_length=253, unique=True)
    """A prefix (no dot) or a whole custom host name."""
    custom = models.BooleanField(db_default=False, default=False)
    configuration: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """As it was given, in snake_case: managed_login_version, and of a custom name custom_domain_config."""
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """One prefix and one custom domain a pool."""

        db_table = "pool_domain"
        constraints = [models.UniqueConstraint(fields=["pool", "custom"], name="pool_domain_one_of_each")]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class ResourceServer(models.Model):
    """An API with scopes of its own."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, related_name="resource_servers", db_index=False)
    identifier = models.CharField(max_length=256)
    name = models.CharField(max_length=256)
    scopes: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(db_default=[], default=list)
    """Each ``{"name", "description"}``, in the order given."""
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Identifiers are unique in their pool."""

        db_table = "resource_server"
        constraints = [models.UniqueConstraint(fields=["pool", "identifier"], name="resource_server_identifier")]

    def __str__(self) -> str:
        """Return the identifier."""
        return self.identifier
