"""Servers before Django, the live installation, and what every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from typing import Any

import pytest

from tests import servers

# Settings are read from the environment when Django is first touched, which is after this file.
servers.start()

pytest_plugins = ["tests.live"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Make test databases by copying a migrated one."""
    from django.db import connections

    connections["default"].settings_dict["TEST"]["TEMPLATE"] = servers.template()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Use the machine's Chromium, as root too; skip by name where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs: chromium (apt-get install chromium)")
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {"executable_path": found, "headless": True, "args": arguments}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """In CI a skip for something that is not installed is a failure: ``.ci/run`` installs everything."""
    report: Any = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if os.environ.get("CI") == "true" and reason.removeprefix("Skipped: ").startswith("needs:"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {reason} (in CI a missing program fails)"
    return report
