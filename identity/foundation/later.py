"""Ask for a task by name, after commit. The message is a hint; what must happen is already a row.

Publishing never blocks: one try, short time-outs, and a breaker towards the broker for two seconds after a
failure. A lost hint costs seconds, since the worker sweeps what is due without the broker.
"""

from __future__ import annotations

import threading

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from identity.foundation import clock
from identity.foundation.task_names import Task

log = structlog.get_logger(__name__)
BREAK = 2.0
_broken_until = 0.0
_lock = threading.Lock()


def after_commit(task: Task, *arguments: str, queue: str = "now") -> None:
    """Publish a task once the present transaction is committed; at once where there is none."""
    transaction.on_commit(lambda: publish(task, *arguments, queue=queue), robust=True)


def publish(task: Task, *arguments: str, queue: str) -> bool:
    """Publish a task now; say whether the broker took it."""
    global _broken_until  # noqa: PLW0603 - one breaker a process
    if clock.monotonic() < _broken_until:
        return False
    try:
        # Looked up in the registry, so that eager mode is obeyed in tests.
        asked_by = {"request_id": structlog.contextvars.get_contextvars().get("request_id", "")}
        current_app.tasks[task.value].apply_async(arguments, queue=queue, retry=False, headers=asked_by)
    except (KombuError, RedisError, OSError) as problem:
        with _lock:
            _broken_until = clock.monotonic() + BREAK
        log.warning("publish_failed", task=task.value, problem=type(problem).__name__)
        return False
    return True
