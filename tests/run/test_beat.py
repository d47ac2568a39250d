"""The clock: what is to run by itself runs soon after any start, and not more often for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler

from identity.celery import app
from identity.foundation.task_names import Task

TASKS = frozenset(entry["task"] for entry in app.conf.beat_schedule.values())


@contextmanager
def clock(schedule: Path) -> Iterator[PersistentScheduler]:
    """Open beat's memory as it does when it starts."""
    scheduler = PersistentScheduler(app, schedule_filename=str(schedule))
    try:
        yield scheduler
    finally:
        scheduler.close()


def due(scheduler: PersistentScheduler) -> set[str]:
    """Return the tasks that beat would ask for now."""
    return {str(entry.task) for entry in scheduler.schedule.values() if scheduler.is_due(entry)[0]}


def test_after_a_fresh_start_everything_is_asked_for_at_once(tmp_path: Path) -> None:
    with clock(tmp_path / "schedule") as scheduler:
        assert due(scheduler) == TASKS


def test_what_was_asked_for_is_not_asked_for_again_at_a_restart(tmp_path: Path) -> None:
    with clock(tmp_path / "schedule") as scheduler:
        for entry in list(scheduler.schedule.values()):
            scheduler.reserve(entry)

    with clock(tmp_path / "schedule") as again:
        assert due(again) == set()


def test_beat_asks_for_every_task_that_nobody_else_does() -> None:
    app.loader.import_default_modules()

    ours = {name for name in app.tasks if name.startswith("pools.")}

    assert ours - {Task.DELIVER, Task.IMPORT_USERS} == TASKS


@pytest.mark.parametrize("task", ["make_partitions", "rotate_due_keys"])
def test_what_must_not_be_late_needs_no_long_life_of_beat(task: str) -> None:
    (entry,) = (entry for entry in app.conf.beat_schedule.values() if entry["task"] == f"pools.tasks.{task}")

    assert entry["schedule"] <= 300
