"""Wiring of the project itself: logging, checks, Django's own key."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class IdentityConfig(AppConfig):
    """The project as an app: operators, console, commands."""

    name = "identity"
    label = "identity"
    verbose_name = "Cognate"

    def ready(self) -> None:
        """Set up logging, register checks, derive Django's key from the sealing keys where they exist."""
        from identity import celery, checks, telemetry
        from identity.foundation import connections
        from pools import tasks

        del checks, tasks  # registered by being imported
        # Web threads publish too: without a default, each thread would fall back to an app without a broker.
        celery.app.set_default()
        telemetry.configure_logs()
        connections.install()
        if settings.SECRET_KEYS_FILE.exists():
            derive_keys()


def derive_keys() -> None:
    """Derive Django's keys from the sealing keys: what an older one signed holds as long as that is kept."""
    from identity.foundation import sealing

    newest, *older = (key.hex() for key in sealing.derived_keys("django"))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = newest, older
