"""People of a pool, the names they sign in by, their passwords and groups."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Collate, Now

from identity.foundation.names import uuid7
from pools.models.letter_case import SmallLetters
from pools.models.user_pool import UserPool

SEARCHABLE = ("email", "phone_number", "name", "given_name", "family_name", "preferred_username")
ANY_CASE = tuple(column for column in SEARCHABLE if column != "phone_number")
"""Of these, what is found whatever the case, in every pool (AWS: Managing and searching user accounts)."""


class Status(models.TextChoices):
    """Cognito's UserStatus."""

    UNCONFIRMED = "UNCONFIRMED"
    CONFIRMED = "CONFIRMED"
    RESET_REQUIRED = "RESET_REQUIRED"
    FORCE_CHANGE_PASSWORD = "FORCE_CHANGE_PASSWORD"  # noqa: S105 - a status
    EXTERNAL_PROVIDER = "EXTERNAL_PROVIDER"


class User(models.Model):
    """A person of a pool. Searchable attributes are columns, the rest is ``attributes``.

    Nothing that changes at sign-in lives here. ``epoch`` counts global sign-outs: a token or family of another
    epoch is dead. A user with ``deleted_at`` is a tombstone whose names are free.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    sub = models.UUIDField()
    username = models.CharField(max_length=128, db_collation="C")
    """The internal username: what tokens and API call ``Username``; equals ``sub`` under UsernameAttributes."""
    email = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001 - absent is not empty
    email_verified = models.BooleanField(null=True, default=None)
    """None where nobody ever said whether: nothing is told then, and nothing may be concluded."""
    phone_number = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001
    phone_number_verified = models.BooleanField(null=True, default=None)
    name = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001
    given_name = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001
    family_name = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001
    preferred_username = models.CharField(max_length=2048, null=True, db_collation="C")  # noqa: DJ001
    attributes: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(db_default={}, default=dict)
    status = models.CharField(max_length=24, choices=Status)
    enabled = models.BooleanField(db_default=True, default=True)
    epoch = models.IntegerField(db_default=0, default=0)
    preferred_mfa = models.CharField(max_length=24, blank=True, db_default="", default="")
    sms_enabled = models.BooleanField(db_default=False, default=False)
    """Whether a code by SMS is asked for at sign-in. A column and no table: the number is all that it takes."""
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        """Pages go by (pool, column, id), as ``user_listing`` compares them. Collation "C" makes a head a range."""

        db_table = "pool_user"
        constraints = [
            models.UniqueConstraint(fields=["pool", "sub"], name="pool_user_sub"),
            models.UniqueConstraint(
                fields=["pool", "username"], name="pool_user_username_once", condition=Q(deleted_at=None)
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "id"], name="pool_user_page", condition=Q(deleted_at=None)),
            models.Index(fields=["pool", "status", "id"], name="pool_user_of_status", condition=Q(deleted_at=None)),
            models.Index(fields=["pool", "enabled", "id"], name="pool_user_of_enabled", condition=Q(deleted_at=None)),
            # Of all pools: what the purge asks for.
            models.Index(fields=["deleted_at"], name="pool_user_deleted", condition=Q(deleted_at__isnull=False)),
            *(
                models.Index(
                    fields=["pool", column, "id"],
                    name=f"pool_user_{column}"[:30],
                    condition=Q(**{f"{column}__isnull": False}),
                )
                for column in ("username", "phone_number")
            ),
            *(
                models.Index(
                    "pool",
                    Collate(SmallLetters(column), "C"),
                    "id",
                    name=f"pool_user_lower_{column}"[:30],
                    condition=Q(**{f"{column}__isnull": False}),
                )
                for column in ANY_CASE
            ),
        ]

    def __str__(self) -> str:
        """Return the internal username."""
        return self.username


class SignInName(models.Model):
    """A name that signs a user in: username, usable preferred_username, email or phone. Normalised by the pool.

    One table for all kinds, so that no one's alias can equal another's username.
    """

    class Kind(models.TextChoices):
        """Which attribute the name is."""

        USERNAME = "username"
        PREFERRED_USERNAME = "preferred_username"
        EMAIL = "email"
        PHONE_NUMBER = "phone_number"

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    name = models.CharField(max_length=2048, db_collation="C")
    # No constraint here and below: its look-up for each purged person would need an index without the pool.
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="sign_in_names"
    )
    kind = models.CharField(max_length=20, choices=Kind)

    class Meta:
        """The truth about who owns a name."""

        db_table = "sign_in_name"
        constraints = [
            models.UniqueConstraint(fields=["pool", "name"], name="sign_in_name_once"),
            models.UniqueConstraint(fields=["pool", "user", "kind"], name="sign_in_name_of_user"),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Password(models.Model):
    """A user's password: Argon2id hash and sealed SRP verifier, with the pool id and name the verifier binds.

    An imported one has no verifier, nor what it would bind, until its owner signs in by it.
    """

    user = models.OneToOneField(User, on_delete=models.DO_NOTHING, primary_key=True, related_name="password")
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    argon2 = models.CharField(max_length=512)
    """Of an imported one another system's hash, of any algorithm that ``foreign_hashes`` knows, behind its name."""
    sealed_verifier = models.BinaryField(null=True)
    verifier_pool = models.CharField(max_length=55)
    verifier_name = models.CharField(max_length=128)
    expires_at = models.DateTimeField(null=True)
    """Set for temporary passwords only."""
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        """A deleted pool's passwords go by the pool."""

        db_table = "password"
        indexes = [models.Index(fields=["pool"], name="password_pool")]

    def __str__(self) -> str:
        """Return whose password it is; never anything of it."""
        return str(self.pk)


class PasswordHistory(models.Model):
    """One of a person's last passwords, the present one with them, as a keyed hash of its SRP verifier."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="password_history"
    )
    keyed_hash = models.BinaryField()
    set_at = models.DateTimeField()

    class Meta:
        """Each password once; what was set too long ago goes by the pool."""

        db_table = "password_history"
        constraints = [models.UniqueConstraint(fields=["pool", "user", "keyed_hash"], name="password_history_once")]
        indexes = [models.Index(fields=["pool", "set_at"], name="password_history_age")]

    def __str__(self) -> str:
        """Return whose password it was; never anything of it."""
        return str(self.user_id)


class Group(models.Model):
    """A group of a pool; its role and precedence decide what an identity pool may hand out."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=2048, blank=True, db_default="", default="")
    role_arn = models.CharField(max_length=2048, blank=True, db_default="", default="")
    precedence = models.IntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Names are unique in their pool."""

        db_table = "pool_group"
        constraints = [models.UniqueConstraint(fields=["pool", "name"], name="pool_group_name")]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Membership(models.Model):
    """A user is in a group."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="memberships"
    )
    group = models.ForeignKey(
        Group, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="memberships"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Once; read both ways."""

        db_table = "membership"
        constraints = [models.UniqueConstraint(fields=["pool", "user", "group"], name="membership_once")]
        indexes = [models.Index(fields=["pool", "group", "user"], name="membership_page")]

    def __str__(self) -> str:
        """Return both ends."""
        return f"{self.user_id} in {self.group_id}"
