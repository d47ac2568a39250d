"""Second factors of pool users."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from pools.models.user import User
from pools.models.user_pool import UserPool


class TotpFactor(models.Model):
    """A user's authenticator (RFC 6238): a sealed 160-bit seed; ``last_step`` makes each code single-use.

    ``sealed_pending`` is a seed that was handed out and not proven yet.
    """

    user = models.OneToOneField(User, on_delete=models.DO_NOTHING, primary_key=True, related_name="totp")
    pool = models.ForeignKey(UserPool, on_delete=models.DO_NOTHING, db_index=False)
    sealed_seed = models.BinaryField(null=True)
    sealed_pending = models.BinaryField(null=True)
    name = models.CharField(max_length=131072, blank=True, db_default="", default="")
    verified_at = models.DateTimeField(null=True)
    enabled = models.BooleanField(db_default=False, default=False)
    """Asked for at sign-in."""
    last_step = models.BigIntegerField(db_default=0, default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """A deleted pool's factors go by the pool."""

        db_table = "totp_factor"
        indexes = [models.Index(fields=["pool"], name="totp_factor_pool")]

    def __str__(self) -> str:
        """Return whose factor it is."""
        return str(self.pk)
