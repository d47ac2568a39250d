"""Identity providers of a pool, other names by which people are sent to them, and whose login at one is whose here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.user import User
from pools.models.user_pool import UserPool

COGNITO_SUBJECT = "Cognito_Subject"
"""The attribute of a login that is who it is at its provider, whatever the provider calls that."""


ISSUER = "issuer"
"""Of what is fetched, what the provider calls itself, where people's logins tell that."""
ENDS = "ends"
"""Of what is fetched, when the last of the provider's certificates ends (ISO 8601)."""


class IdentityProvider(models.Model):
    """A system that a pool lets people sign in with: by OpenID Connect or SAML, or one of the social networks.

    What is secret of its details is sealed as one JSON object; the rest is as it is described.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, related_name="identity_providers", db_index=False)
    name = models.CharField(max_length=32, db_collation="C")
    """It never changes: people's logins are kept by it."""
    type = models.CharField(max_length=24)
    details: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(db_default={}, default=dict)
    sealed_details = models.BinaryField()
    attribute_mapping: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(db_default={}, default=dict)
    """By attribute of the pool, the provider's claim that gives its value."""
    acr_mapping: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(db_default={}, default=dict)
    """By level of the pool, the provider's word for it."""
    asks_second_factor = models.BooleanField(db_default=False, default=False)
    """Whether the pool's rule of second factors holds for those who come by it. Cognito asks them for none."""
    signs_out = models.BooleanField(db_default=False, default=False)
    """Whoever signs out here is sent there to sign out too. Amazon does so by SAML alone."""
    fetched: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(db_default={}, default=dict)
    """What the provider publishes and its kind wants kept, as it was when it was last good."""
    fetched_at = models.DateTimeField(null=True)
    """When it was last asked for; None where there is nothing to ask for, or nobody has asked yet."""
    fetch_failed_at = models.DateTimeField(null=True)
    """When asking failed, where that was the last try."""
    fetch_problem = models.CharField(max_length=64, db_default="", default="", blank=True)
    """Why: the code of the refusal."""
    ends_at = models.DateTimeField(null=True)
    """When the last of the provider's certificates ends, where its kind has any."""
    expiry_told = models.DateTimeField(null=True)
    """Of which such end operators were told."""
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Names are unique in their pool, and pages go by id."""

        db_table = "identity_provider"
        constraints = [models.UniqueConstraint(fields=["pool", "name"], name="identity_provider_name")]
        indexes = [models.Index(fields=["pool", "id"], name="identity_provider_page")]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class ProviderIdentifier(models.Model):
    """Another name of a provider, by which a request may name it: often the domain of its people's addresses."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    provider = models.ForeignKey(
        IdentityProvider,
        on_delete=models.DO_NOTHING,
        db_index=False,
        db_constraint=False,
        related_name="identifiers",
    )
    name = models.CharField(max_length=40, db_collation="C")

    class Meta:
        """One provider of a pool has it; those of a provider come in the order in which they were given."""

        db_table = "provider_identifier"
        constraints = [models.UniqueConstraint(fields=["pool", "name"], name="provider_identifier_once")]
        indexes = [models.Index(fields=["pool", "provider", "id"], name="provider_identifier_of")]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class ExternalLogin(models.Model):
    """Who signs in at a provider as whom here. It outlives its provider, whose name it is kept by.

    One that an operator linked says by which attribute of the provider's answer the person will be known; from the
    first sign-in on the ``subject`` alone counts.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="external_logins"
    )
    provider = models.CharField(max_length=32, db_collation="C")
    provider_type = models.CharField(max_length=24)
    attribute = models.CharField(max_length=32, db_collation="C", db_default=COGNITO_SUBJECT, default=COGNITO_SUBJECT)
    """``Cognito_Subject``, or the attribute of the pool to which a claim of the provider's is mapped."""
    value = models.CharField(max_length=2048, db_collation="C")
    subject = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001 - absent is not empty
    """Who it is at the provider; None until the first sign-in of one that was linked by another attribute."""
    issuer = models.CharField(max_length=1024, db_default="", default="", blank=True)
    """What the provider calls itself (an entity id of SAML); empty where its kind has no such name."""
    primary = models.BooleanField(db_default=False, default=False)
    """Whether the user was made by its first sign-in, and not linked by an operator."""
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """A login is one person's."""

        db_table = "external_login"
        constraints = [
            models.UniqueConstraint(fields=["pool", "provider", "attribute", "value"], name="external_login_once"),
            models.UniqueConstraint(
                fields=["pool", "provider", "subject"],
                name="external_login_subject",
                condition=Q(subject__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["pool", "user", "id"], name="external_login_of")]

    def __str__(self) -> str:
        """Return the provider."""
        return self.provider


def of_pool(pool_id: int) -> models.QuerySet[IdentityProvider]:
    """Return a pool's providers in the order in which they were made, each with its ``identifiers`` in theirs."""
    identifiers = ProviderIdentifier.objects.filter(pool_id=pool_id).order_by("id")
    rows = IdentityProvider.objects.filter(pool_id=pool_id).order_by("id")
    return rows.prefetch_related(models.Prefetch("identifiers", queryset=identifiers))
