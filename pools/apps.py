"""Wiring of the pools."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class PoolsConfig(AppConfig):
    """Everything that lives in pools."""

    name = "pools"
    label = "pools"
    verbose_name = "Pools"

    def ready(self) -> None:
        """Have readiness depend on fresh configuration, and metrics tell of the outbox; make what migrations leave."""
        from identity import telemetry
        from pools.services import configuration
        from pools.services.messages import deliveries
        from pools.services.providers import expiry

        post_migrate.connect(ensure_keys, sender=self)
        post_migrate.connect(ensure_web_role, sender=self)
        telemetry.register_probe("configuration", configuration.problem)
        telemetry.register_gauges(deliveries.gauges)
        telemetry.register_gauges(expiry.gauges)
        telemetry.register_warning("messages", deliveries.warning)


def ensure_keys(**_: object) -> None:
    """Make the identity pools' signing key after migrating, where there is none and it can be sealed."""
    from pools.services.pools import signing_keys

    if settings.SECRET_KEYS_FILE.exists():
        signing_keys.ensure_installation_keys()


def ensure_web_role(**_: object) -> None:
    """Let web processes reach what this migration made, by their own role where they have one."""
    from pools.services import web_role

    web_role.ensure()
