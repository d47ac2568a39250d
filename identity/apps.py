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
        from identity import checks, telemetry
        from identity.foundation import sealing

        del checks  # registered by being imported
        telemetry.configure()
        if settings.SECRET_KEYS_FILE.exists():
            settings.SECRET_KEY = sealing.permanent_key("django").hex()
