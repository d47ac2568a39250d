"""Celery's clock as a process of its own, which knows the tasks by name alone: a third of what all of Django takes.

It reads no setting: another process reads and checks them all, says what of them a clock needs, and is gone.
It may run twice: periodic tasks take a lock and a due time.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celery import Celery, signals

from identity import broker, logs


def run(schedule: Path, asking: Sequence[str]) -> int:
    """Ask for the periodic tasks until ended; ``schedule`` is the file of what was asked for when.

    ``asking`` is the command that checks the settings and prints what is needed of them, as JSON. Returns what the
    process is to end with, at once where they are unsafe.
    """
    asked = subprocess.run(asking, stdout=subprocess.PIPE, check=False)  # noqa: S603 - the caller's own command
    if asked.returncode:
        return asked.returncode
    keep_time(json.loads(asked.stdout), schedule)
    return 0


def keep_time(settings: dict[str, Any], schedule: Path) -> None:
    """Ask for the periodic tasks, by what :func:`identity.serve.print_settings_of_beat` told."""
    logs.configure(settings["log_level"], settings["log_format"])
    # A receiver keeps Celery from setting up logging of its own.
    signals.setup_logging.connect(lambda **_: None, weak=False)
    if alive := settings["alive_file"]:
        show_life(Path(alive))
    app = Celery("cognate", fixups=[], set_as_current=True)
    app.conf.update(broker.configuration(settings["broker_url"], settings["redis_prefix"]))
    app.Beat(schedule=str(schedule), pidfile="", loglevel=settings["log_level"], quiet=True).run()


def show_life(alive: Path) -> None:
    """Touch the file with each task that is asked for. A worker does with each sweep."""
    signals.before_task_publish.connect(lambda **_: alive.touch(), weak=False)
