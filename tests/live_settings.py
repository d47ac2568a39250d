"""The installation's settings, for the live processes of tests: their statements are watched too."""

from __future__ import annotations

from identity.settings import *  # noqa: F403 - Django's way to settings that differ in one line
from identity.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "tests.apps.Watched"]
