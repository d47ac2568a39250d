"""Identity pools: who may trade which login for which role, and the identities this made."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from identity.foundation.names import uuid7

DEVELOPERS = "cognito-identity.amazonaws.com"
"""The provider under which logins of a pool's own developers are kept: no name that they choose is another's."""
OF_DEVELOPERS = Case(When(provider=DEVELOPERS, then="subject"), default=Value(""))


class IdentityPool(models.Model):
    """Trades logins for temporary AWS credentials. ``version`` as in user pools."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=55, unique=True)
    name = models.CharField(max_length=128)
    guests = models.BooleanField(db_default=False, default=False)
    classic_flow = models.BooleanField(db_default=False, default=False)
    providers: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        db_default=[], default=list
    )
    """User pool providers: each ``{"provider_name", "client_id", "server_side_token_check"}``."""
    configuration: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """The rest as it was given, in snake_case: social, OIDC, SAML and developer providers, tags."""
    member_role = models.CharField(max_length=2048, blank=True, db_default="", default="")
    guest_role = models.CharField(max_length=2048, blank=True, db_default="", default="")
    role_mappings: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """By provider: ``{"type": "Token"|"Rules", "ambiguous": "AuthenticatedRole"|"Deny", "rules": [...]}``."""
    member_session_policy = models.TextField(blank=True, db_default="", default="")
    guest_session_policy = models.TextField(blank=True, db_default="", default="")
    """Templates with ``{identity_id}`` and ``{tag.NAME}``, sent with the exchange; ours, beyond Cognito."""
    version = models.BigIntegerField(db_default=1, default=1)
    changed_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        """The poll for changes goes by ``changed_at``."""

        db_table = "identity_pool"
        indexes = [models.Index(fields=["changed_at"], name="identity_pool_changed")]

    def __str__(self) -> str:
        """Return the public id."""
        return self.public_id


class PrincipalTagMap(models.Model):
    """Which claims of a provider's token become session tags."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(IdentityPool, on_delete=models.DO_NOTHING, related_name="tag_maps", db_index=False)
    provider = models.CharField(max_length=128)
    use_defaults = models.BooleanField(db_default=False, default=False)
    tags: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(db_default={}, default=dict)

    class Meta:
        """One map a provider."""

        db_table = "principal_tag_map"
        constraints = [models.UniqueConstraint(fields=["pool", "provider"], name="principal_tag_map_one")]

    def __str__(self) -> str:
        """Return the provider."""
        return self.provider


class Identity(models.Model):
    """One who holds credentials: a guest, or a member with logins."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(IdentityPool, on_delete=models.DO_NOTHING, db_index=False)
    public_id = models.CharField(max_length=55, unique=True)
    enabled = models.BooleanField(db_default=True, default=True)
    member = models.BooleanField(db_default=False, default=False)
    """Has or had a login: never again a guest."""
    unused = models.BooleanField(db_default=False, default=False)
    """A guest that never had credentials. Whoever was there before this was kept counts as having had some."""
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Pages of a pool's identities go by id; so do the guests of all pools that are purged."""

        db_table = "identity"
        indexes = [
            models.Index(fields=["pool", "id"], name="identity_of_pool"),
            models.Index(fields=["id"], name="identity_unused", condition=Q(unused=True, member=False)),
        ]

    def __str__(self) -> str:
        """Return the public id."""
        return self.public_id


class IdentityLogin(models.Model):
    """A login belongs to one identity of a pool, and an identity has one login a provider.

    But for those of the pool's own developers, who may know one identity by several ids.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(IdentityPool, on_delete=models.DO_NOTHING, db_index=False)
    identity = models.ForeignKey(Identity, on_delete=models.DO_NOTHING, db_index=False, related_name="logins")
    provider = models.CharField(max_length=256)
    subject = models.CharField(max_length=1024)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Both rules are the database's. The second is found by identity too, when one goes."""

        db_table = "identity_login"
        constraints = [
            models.UniqueConstraint(fields=["pool", "provider", "subject"], name="identity_login_once"),
            models.UniqueConstraint("identity", "pool", "provider", OF_DEVELOPERS, name="identity_login_one_each_kind"),
        ]

    def __str__(self) -> str:
        """Return the provider."""
        return self.provider
