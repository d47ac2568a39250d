"""Those who run the installation: operators and their access keys. People of pools are ``pools.models.user``."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Operator(AbstractUser):
    """One who administers pools through console or management API. Second factors are django-otp's."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    one_step_link = models.UUIDField(null=True, editable=False)
    """The one link that signs this operator in by itself, of the newest start of ``make run``; none once it is used."""

    class Meta(AbstractUser.Meta):
        """Named apart from pool users."""

        db_table = "operator"


class OperatorSeed(models.Model):
    """The seed of an operator's authenticator, sealed; the device's own ``key`` is only part of its place."""

    device = models.OneToOneField(
        "otp_totp.TOTPDevice", on_delete=models.CASCADE, primary_key=True, related_name="seed"
    )
    sealed = models.BinaryField()

    class Meta:
        """Table name."""

        db_table = "operator_seed"

    def __str__(self) -> str:
        """Return whose seed it is."""
        return str(self.pk)


class AccessKey(models.Model):
    """A SigV4 key pair of an operator: id in the clear, secret sealed (it must be read to check a signature)."""

    id = models.CharField(max_length=128, primary_key=True)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="access_keys")
    sealed_secret = models.BinaryField()
    description = models.CharField(max_length=200, blank=True, db_default="")
    actions = ArrayField(models.CharField(max_length=128), null=True, default=None)
    """What it may do, as IAM writes actions (``cognito-idp:List*``); null, everything."""
    pools = ArrayField(models.CharField(max_length=64), null=True, default=None)
    """Ids of the user pools and identity pools that it may do it to; null, all, and what names none."""
    disabled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        """Table name."""

        db_table = "access_key"

    def __str__(self) -> str:
        """Return the public half."""
        return self.id
