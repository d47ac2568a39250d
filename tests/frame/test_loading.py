"""What is imported is kept from the garbage collector, which comes back whatever happens."""

from __future__ import annotations

import gc

import pytest
from celery import signals

from identity import celery
from identity.foundation.loading import undisturbed


def test_nothing_is_collected_meanwhile_and_what_came_is_never_looked_at() -> None:
    with undisturbed():
        assert not gc.isenabled()
        came = [object()]

    assert gc.isenabled()
    assert not any(each is came for each in gc.get_objects())


def test_a_start_that_fails_leaves_the_collector() -> None:
    with pytest.raises(ImportError), undisturbed():
        raise ImportError

    assert gc.isenabled()


def test_a_worker_begins_before_its_app_loads_and_ends_after(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[bool]()

    def load(*_: object, **__: object) -> list[object]:
        seen.append(gc.isenabled())
        return []

    monkeypatch.setattr(celery.app.loader, "autodiscover_tasks", load)

    signals.import_modules.send(sender=celery.app)

    assert (seen, gc.isenabled()) == ([False], True)
