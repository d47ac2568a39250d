"""The partitions of now: the first rows find them, where the task that makes all later ones has not run yet."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

from identity.foundation import clock
from pools.models import partitions


def make(*_: Any) -> None:
    """Make today's and tomorrow's, this month's and the next."""
    today = clock.now().date()
    partitions.make("spent", partitions.days(today, 1))
    for table in partitions.MONTHLY:
        partitions.make(table, partitions.months(today, 1))


class Migration(migrations.Migration):
    """Make them; going back leaves them."""

    dependencies: ClassVar = [("pools", "0003_outbox_request_id")]
    operations: ClassVar = [migrations.RunPython(make, migrations.RunPython.noop)]
