"""What one part names and another must have: tasks, operations, migrations, metrics, settings."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from django.test.utils import isolate_apps
from prometheus_client import REGISTRY

from identity.broker import LANES
from identity.celery import app
from identity.foundation.task_names import Task
from identity.models import Operator
from pools.cognito import contract, operations
from pools.models import RefreshFamily, Spent, UserPool
from tests.architecture.source import ROOT, sources


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


def missing_migrations() -> str:
    """Return what `makemigrations --check` says; nothing if it finds none missing."""
    said = StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=said, stderr=said)
    except (CommandError, SystemExit):
        return said.getvalue()
    return ""


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    assert missing_migrations() == ""


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Operator, UserPool, Spent], ids=lambda model: model.__name__)
def test_a_planted_change_of_a_model_is_seen(model: type[models.Model], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model._meta.pk, "help_text", "planted")

    assert model._meta.pk.name in missing_migrations()


def test_lint_looks_for_missing_migrations() -> None:
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert lint
    assert "manage.py makemigrations --check" in lint[1]


# Tables of `pools` whose rows are no one pool's, and why.
INSTALLATION_WIDE = {
    "UserPool": "is the pool",
    "IdentityPool": "is the pool",
    "PeriodicTask": "tells when the code last did what",
    "Spent": "holds ids that no two pools share, and nothing else",
}


def names_its_pool(model: type[models.Model]) -> bool:
    """Say whether a table has a column for the pool, be it a reference or a number."""
    return bool({field.attname for field in model._meta.concrete_fields} & {"pool_id", "identity_pool_id"})


def test_every_row_of_a_pool_names_it() -> None:
    tables = apps.get_app_config("pools").get_models()

    assert {model.__name__ for model in tables if not names_its_pool(model)} == set(INSTALLATION_WIDE)


@isolate_apps("pools")
def test_a_planted_table_without_its_pool_is_caught() -> None:
    class Planted(models.Model):  # noqa: DJ008 - never made
        family = models.ForeignKey(RefreshFamily, models.DO_NOTHING, related_name="+")
        parent = models.ForeignKey("self", models.DO_NOTHING, related_name="pool")  # others' column, not its own

        class Meta:
            app_label = "pools"

    assert not names_its_pool(Planted)
    assert names_its_pool(RefreshFamily)


def test_metrics_have_our_prefix_and_a_sentence() -> None:
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("cognate_")]
    strangers = [
        metric.name for metric in REGISTRY.collect() if not metric.name.startswith(("cognate_", "python_", "process_"))
    ]

    assert len(ours) >= 12
    assert strangers == []
    assert [metric.name for metric in ours if not metric.documentation.endswith(".")] == []


def test_no_text_names_a_machine_or_an_address_of_ours() -> None:
    machine = re.compile(r"/(?:work|root|home/\w+)/(?:main|shared)\b")

    assert [source.path for source in sources() if machine.search(source.text.replace(str(ROOT), ""))] == []
