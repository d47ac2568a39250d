"""Deletes rows by one statement, without Django's collector: what hangs on them is the database's to refuse.

Which rows, and that their pool is named, is whoever asks.
"""

from __future__ import annotations

from typing import Any

from django.db import models


def delete(rows: models.QuerySet[Any]) -> int:
    """Delete the rows and return how many they were."""
    return int(rows.order_by()._raw_delete(rows.db))  # noqa: SLF001 - Django has no public way past its collector
