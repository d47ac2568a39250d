"""What tokens rest on: signing keys, authorization codes, one-time codes, refresh families."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from identity.foundation.names import uuid7
from pools.models.app_client import AppClient
from pools.models.user import User
from pools.models.user_pool import UserPool


def method_list() -> ArrayField[list[str], list[str]]:
    """Return a column holding how the person proved who they are (RFC 8176 values), empty where nobody noted it."""
    return ArrayField(models.CharField(max_length=16), db_default=[], default=list)


class SigningKey(models.Model):
    """A key of a pool (or, without pool, of the identity pools' issuer). Private part sealed.

    Which key signs and the order of the JWKS are functions of the clock: the newest with ``active_from`` in the past
    signs and comes first; a key is published from ``published_at`` to ``retire_at``.
    """

    class Use(models.TextChoices):
        """What a key signs."""

        ID = "id"
        ACCESS = "access"
        IDENTITY = "identity"

    class Algorithm(models.TextChoices):
        """What a key signs by (RFC 7518 section 3.1)."""

        RS256 = "RS256", "RS256"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, null=True, db_index=False)
    use = models.CharField(max_length=8, choices=Use)
    alg = models.CharField(max_length=8, choices=Algorithm, db_default=Algorithm.RS256, default=Algorithm.RS256)
    kid = models.CharField(max_length=64, unique=True)
    public: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    sealed_private = models.BinaryField()
    published_at = models.DateTimeField()
    active_from = models.DateTimeField()
    retire_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Read by pool, all at once."""

        db_table = "signing_key"
        indexes = [models.Index(fields=["pool", "use", "active_from"], name="signing_key_of_pool")]

    def __str__(self) -> str:
        """Return the key id."""
        return self.kid


class SigningCertificate(models.Model):
    """The certificate by which others know what a pool signs for SAML, and its private key, sealed. One a pool."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.OneToOneField(UserPool, on_delete=models.DO_NOTHING)
    certificate = models.BinaryField()
    """X.509, DER."""
    sealed_private = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Read by pool."""

        db_table = "signing_certificate"

    def __str__(self) -> str:
        """Return whose it is."""
        return str(self.pool_id)


class RefreshFamily(models.Model):
    """One sign-in's refresh tokens. The id is ``origin_jti``; the token is family.generation.MAC.

    Updated in place: rotation raises ``generation``, changes ``salt`` and keeps the old one for the grace time.

    ``scopes``, ``oauth`` and ``nonce`` are for processes of the release before, and in what these wrote: ``bound`` says
    it all.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    client = models.ForeignKey(AppClient, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    generation = models.IntegerField(db_default=0, default=0)
    salt = models.BinaryField()
    previous_salt = models.BinaryField(null=True)
    rotated_at = models.DateTimeField(null=True)
    rotations: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(db_default={}, default=dict)
    """Salts before the previous one that were replaced within the grace time, each with the moment (Unix seconds)."""
    revoked_at = models.DateTimeField(null=True)
    epoch = models.IntegerField()
    bound: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """What the grant carries (``services.tokens.bound``)."""
    scopes = ArrayField(models.CharField(max_length=300), db_default=[], default=list)
    oauth = models.BooleanField(db_default=False, default=False)
    nonce = models.CharField(max_length=2048, blank=True, db_default="", default="")
    auth_time = models.DateTimeField()
    methods = method_list()
    event_id = models.UUIDField()
    expires_at = models.DateTimeField()
    last_active_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Sessions of a user are read through the partial index; the primary key serves refresh."""

        db_table = "refresh_family"
        indexes = [
            models.Index(fields=["pool", "user", "id"], name="refresh_family_of_user"),
            models.Index(fields=["expires_at"], name="refresh_family_expiry"),
        ]

    def __str__(self) -> str:
        """Return origin_jti."""
        return str(self.id)


class AuthorizationCode(models.Model):
    """An OAuth code: hashed, five minutes, spent by one statement; a second use ends the family it made.

    ``scopes`` and ``nonce`` are for processes of the release before, and in what these wrote: ``bound`` says it all.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    client = models.ForeignKey(AppClient, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    hashed = models.BinaryField()
    redirect_uri = models.CharField(max_length=1024)
    bound: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    """What the grant carries (``services.tokens.bound``)."""
    scopes = ArrayField(models.CharField(max_length=300), db_default=[], default=list)
    nonce = models.CharField(max_length=2048, blank=True, db_default="", default="")
    code_challenge = models.CharField(max_length=128, blank=True, db_default="", default="")
    auth_time = models.DateTimeField()
    methods = method_list()
    epoch = models.IntegerField()
    event_id = models.UUIDField()
    family_id = models.UUIDField(default=uuid7)
    """The refresh family that redemption makes."""
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        """Looked up by its hash within the pool."""

        db_table = "authorization_code"
        constraints = [models.UniqueConstraint(fields=["pool", "hashed"], name="authorization_code_hash")]
        indexes = [models.Index(fields=["expires_at"], name="authorization_code_expiry")]

    def __str__(self) -> str:
        """Return the row's id; never the code."""
        return str(self.id)


class OneTimeCode(models.Model):
    """A six-digit code that was sent to someone; a newer one of the same purpose takes its place.

    ``subject`` is the user's id, or a decoy's: unknown users get rows like anyone, so that tries count alike.
    """

    class Purpose(models.TextChoices):
        """What the code is good for."""

        SIGN_UP = "sign_up"
        RECOVERY = "recovery"
        EMAIL = "email"
        PHONE_NUMBER = "phone_number"
        SECOND_FACTOR = "second_factor"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    subject = models.UUIDField()
    purpose = models.CharField(max_length=16, choices=Purpose)
    hashed = models.BinaryField()
    destination = models.CharField(max_length=2048, blank=True, db_default="", default="")
    """The address it went to: what it proves."""
    tries = models.SmallIntegerField(db_default=0, default=0)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        """One live code a purpose."""

        db_table = "one_time_code"
        constraints = [models.UniqueConstraint(fields=["pool", "subject", "purpose"], name="one_time_code_one")]
        indexes = [models.Index(fields=["expires_at"], name="one_time_code_expiry")]

    def __str__(self) -> str:
        """Return the row's id; never the code."""
        return str(self.id)
