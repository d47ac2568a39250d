"""Names of the tasks: whoever asks for one needs no more of it, least of all what it imports."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """Every task that may be asked for, by a service or by beat."""

    DELIVER = "pools.tasks.deliver"
    FETCH_PROVIDERS = "pools.tasks.fetch_providers"
    IMPORT_USERS = "pools.tasks.import_users"
    MAKE_PARTITIONS = "pools.tasks.make_partitions"
    PURGE = "pools.tasks.purge"
    RESEAL = "pools.tasks.reseal"
    ROTATE_DUE_KEYS = "pools.tasks.rotate_due_keys"
    SWEEP_IMPORTS = "pools.tasks.sweep_imports"
    SWEEP_OUTBOX = "pools.tasks.sweep_outbox"
