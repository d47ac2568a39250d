"""Wiring of the pools."""

from __future__ import annotations

from django.apps import AppConfig


class PoolsConfig(AppConfig):
    """Everything that lives in pools."""

    name = "pools"
    label = "pools"
    verbose_name = "Pools"
