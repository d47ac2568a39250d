"""Whether users of a pool are being imported: its settings wait for that. The jobs are ``user_imports``'."""

from __future__ import annotations

from identity.foundation.errors import ImportInProgress
from pools.models import UserImportJob, UserPool


def refusal(pool: UserPool) -> ImportInProgress | None:
    """Return why a pool does not change now: half of its new users would come by other rules. On its locked row."""
    is_running = UserImportJob.objects.filter(pool_id=pool.pk, status__in=UserImportJob.UNDER_WAY).exists()
    return ImportInProgress() if is_running else None
