"""How Celery is set up, and which tasks beat asks for: for processes that have the tasks, and for beat, which has not.

Imports nothing of Django.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

from kombu import Queue

from identity.foundation.task_names import Task

# Codes that a person waits for; invitations and imports; seals, purges and metadata.
LANES = ("now", "bulk", "tasks")
PUBLISH_SECONDS = 0.2
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def tls(url: str) -> dict[str, Any] | None:
    """Return how TLS to Redis is checked, unless options of the address (`ssl_ca_certs`) say it themselves.

    Kombu believes any certificate unless it is told otherwise.
    """
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED} if url.startswith("rediss:") else None


def periodic(task: Task, seconds: float) -> dict[str, Any]:
    """Return an entry of the beat table that is due at once where beat has no memory of it."""
    return {"task": task.value, "schedule": seconds, "last_run_at": LONG_AGO}


def configuration(url: str, prefix: str) -> dict[str, Any]:
    """Return Celery's settings for a broker at this address (as Celery writes it), whose keys begin so."""
    return {
        "broker_url": url,
        "broker_use_ssl": tls(url),
        "broker_transport_options": {
            "global_keyprefix": prefix,
            # Publishing waits at most this long for a silent Redis, and connects once: before a second try kombu
            # sleeps for two seconds. The sweep finds what was not published.
            "socket_connect_timeout": 0.2,
            "socket_timeout": PUBLISH_SECONDS,
            "max_retries": 0,
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_default_queue": "tasks",
        "task_queues": [Queue(lane) for lane in LANES],
        "task_create_missing_queues": False,
        "task_ignore_result": True,
        "result_backend": None,
        "task_acks_late": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": {
            "sweep the outbox": periodic(Task.SWEEP_OUTBOX, 30),
            "sweep the imports": periodic(Task.SWEEP_IMPORTS, 30),
            "purge": periodic(Task.PURGE, 300),
            # Asked for more often than they run: beat forgets with its container what it asked for. Each task knows
            # in PostgreSQL when it is due.
            "make partitions": periodic(Task.MAKE_PARTITIONS, 300),
            "read what providers publish": periodic(Task.FETCH_PROVIDERS, 60),
            "rotate due keys": periodic(Task.ROTATE_DUE_KEYS, 300),
            "reseal": periodic(Task.RESEAL, 3600),
        },
    }
