"""The Celery app of processes that have the tasks. A message is a hint: PostgreSQL is the queue."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import Any

import structlog
from celery import Celery, Task, signals
from django.conf import settings

from identity import beat, broker
from identity.foundation import server_urls
from identity.foundation.loading import undisturbed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")

CONSUME_SECONDS = 5
TURN_SECONDS = 0.001
"""How long a thread that computes lets others of its worker wait: by Python's own measure five times as long. Whoever
sends a code waits for PostgreSQL ten times, and each time anew for a thread that reads a file of users.
"""

_loading = ExitStack()


@signals.import_modules.connect
def begin_loading(**_given: Any) -> None:
    """Load undisturbed. Receivers come in the order of this file: the next are the app's own, which load."""
    _loading.enter_context(undisturbed())


app = Celery("cognate")
app.conf.update(broker.configuration(server_urls.celery(settings.REDIS_URL), settings.REDIS_PREFIX))
app.autodiscover_tasks(["pools", "federation"])


@signals.import_modules.connect
def end_loading(**_given: Any) -> None:
    """Have everything loaded."""
    _loading.close()


@signals.setup_logging.connect
def keep_our_logging(**_given: Any) -> None:
    """Leave logging as ``identity.logs`` set it up: a receiver keeps Celery from its own."""


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_to_start_unsafely(**_given: Any) -> None:
    """Hold worker and beat to the checks where ``identity.serve`` did not: Celery itself runs them and goes on."""
    from identity.checks import require_safe_settings  # Django is not set up before

    require_safe_settings()


@signals.worker_init.connect
def take_short_turns(**_given: Any) -> None:
    """Have no thread of a worker wait long for one that computes."""
    sys.setswitchinterval(TURN_SECONDS)


@signals.celeryd_init.connect
def wait_longer(**_given: Any) -> None:
    """Let a worker, which asks Redis to answer only when there is something, wait longer than publishers do."""
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "socket_timeout": CONSUME_SECONDS}


@signals.beat_init.connect
def show_life(**_given: Any) -> None:
    """Have beat touch its file, where Celery's own command started it over this app."""
    if settings.ALIVE_FILE:
        beat.show_life(settings.ALIVE_FILE)


@signals.task_prerun.connect
def take_up_request(task: Task[..., Any], **_given: Any) -> None:
    """Log a task under the id of the request that asked for it."""
    if request_id := task.request.get("request_id"):
        structlog.contextvars.bind_contextvars(request_id=request_id)


@signals.task_postrun.connect
def put_down_request(**_given: Any) -> None:
    """Forget that id: the thread goes on to other tasks."""
    structlog.contextvars.unbind_contextvars("request_id")
