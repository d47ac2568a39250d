"""What one part names and another must have: tasks, operations, migrations, metrics, settings."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from prometheus_client import REGISTRY

from identity.celery import LANES, app
from identity.foundation.later import Task
from pools.cognito import contract, operations
from tests.architecture.source import ROOT, house


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    """Load every task, as a worker does, and every operation."""
    app.loader.import_default_modules()
    assert operations.__path__


@pytest.mark.parametrize("task", Task)
def test_a_task_that_may_be_asked_for_exists(task: Task) -> None:
    assert task.value in app.tasks


@pytest.mark.parametrize("entry", sorted(app.conf.beat_schedule))
def test_a_task_of_the_beat_exists(entry: str) -> None:
    assert app.conf.beat_schedule[entry]["task"] in app.tasks


def test_a_worker_serves_every_lane() -> None:
    from identity import serve

    assert set(serve.LANES.split(",")) == set(LANES)


@pytest.mark.parametrize("service", contract.SERVICES.values(), ids=lambda service: service.name)
def test_every_operation_is_answered_or_refused_by_name(service: contract.Service) -> None:
    answered = [name for name, operation in service.operations.items() if operation.handler]
    silent = [
        name
        for name, operation in service.operations.items()
        if operation.handler is None and service.invalid not in operation.errors
    ]

    assert answered
    # The gateway says "is not available in this release" by an exception that any client of the service knows.
    assert service.invalid == "ValidationException" or silent == []


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = StringIO()

    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=said, stderr=said)
    except (CommandError, SystemExit):
        pytest.fail(said.getvalue())


@pytest.mark.parametrize(
    "model",
    [model for label in ("pools",) for model in apps.get_app_config(label).get_models()],
    ids=lambda m: m.__name__,
)
def test_every_row_of_a_pool_names_it(model: type[models.Model]) -> None:
    house_wide = {"UserPool", "IdentityPool"}
    names = {field.name for field in model._meta.get_fields()}

    assert (
        model.__name__ in house_wide or names & {"pool", "pool_id", "identity_pool"} or not names & {"user", "client"}
    )


def test_metrics_have_the_houses_name_and_a_sentence() -> None:
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("cognate_")]
    strangers = [
        metric.name for metric in REGISTRY.collect() if not metric.name.startswith(("cognate_", "python_", "process_"))
    ]

    assert len(ours) >= 12
    assert strangers == []
    assert [metric.name for metric in ours if not metric.documentation.endswith(".")] == []


def test_no_text_names_a_machine_or_an_address_of_ours() -> None:
    machine = re.compile(r"/(?:work|root|home/\w+)/(?:main|shared)\b")

    assert [source.path for source in house() if machine.search(source.text.replace(str(ROOT), ""))] == []
