"""Servers before Django, the live installation, and what every test may ask for."""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import socket
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import django
import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests import cheap, emptying, servers, statements

# What is imported and collected stays to the end: the garbage collector need not look at it meanwhile.
gc.disable()
# Settings are read from the environment when Django is first touched: here, so that other conftests may import models.
servers.start()
django.setup()
# A worker of xdist has this environment, and pytest-django would read settings of it before the worker has its own.
del os.environ["DJANGO_SETTINGS_MODULE"]
statements.watch()
cheap.install()
emptying.instead_of_flush()

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

pytest_plugins = ["tests.live"]


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Let no test of this process reach beyond the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - what the family says
        by_address = self.family in {socket.AF_INET, socket.AF_INET6} and address[0] != "localhost"
        if by_address and not ipaddress.ip_address(address[0]).is_loopback:
            # Not an OSError: code under test must not take it for an unreachable host.
            raise RuntimeError(f"A test reached for {address[0]}.")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


COUNTS = {"django_assert_num_queries", "django_assert_max_num_queries"}


@pytest.fixture(autouse=True)
def no_poll_among_what_is_counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where statements are counted, have configuration not ask for news: whoever is there when a second ends does."""
    with pytest.MonkeyPatch.context() as patch:  # not the test's own, which would end after the database is emptied
        if COUNTS & set(request.fixturenames) or hasattr(request.module, "CaptureQueriesContext"):
            from pools.services import configuration

            patch.setattr(configuration, "POLL", 60)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make test databases by copying a migrated one, each xdist worker a database of its own name."""
    del django_db_modify_db_settings_parallel_suffix
    from django.db import connections

    connections["default"].settings_dict["TEST"]["TEMPLATE"] = servers.template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make the test database, and in the end look whether it was emptied of everything that tests wrote."""
    from django.db import connection
    from django.db.backends.base.creation import TEST_DATABASE_PREFIX

    del django_db_setup
    if not connection.settings_dict["NAME"].startswith(TEST_DATABASE_PREFIX):
        yield  # none was made: no test of this run asks for one
        return
    with django_db_blocker.unblock():
        emptying.learn_beginning()
    yield
    with django_db_blocker.unblock():
        assert emptying.left() == []


@pytest.fixture(scope="session")
def no_connection(django_db_setup: None) -> Iterator[None]:
    """Leave no connection behind, on either side: one that stays open keeps the test database from being dropped."""
    from django.db import connections

    connections.close_all()
    yield
    connections.close_all()


@pytest.fixture(scope="session")
def playwright(no_connection: None, playwright: Playwright) -> Iterator[Playwright]:
    """Begin and end with no connection. While it runs, an event loop does, where Django has connections of its own."""
    from django.db import connections

    yield playwright
    connections.close_all()


# The first is all of Chromium but its windows, which nobody sees here: it takes 3/5 of the time.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
NOT_IN_CHROMIUM = (
    # A renderer of its own in each window, for what an address bar that nobody sees would suggest: half of what a page
    # takes to open.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "SpareRendererForSitePerProcess"),
    # Playwright's own list, which this one replaces (chromiumSwitches).
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Use the machine's Chromium, as root too; skip by name where there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("needs: chromium (apt-get install chromium-headless-shell, or chromium)")
    # The shell would ask for no language.
    arguments = ["--disable-dev-shm-usage", "--accept-lang=en-US,en", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    arguments.append(f"--disable-features={','.join(NOT_IN_CHROMIUM)}")
    return {"executable_path": found, "headless": True, "args": arguments}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, by its marks: a long file that came last would leave a worker idle."""
    items.sort(key=lambda item: not {"run", "browser", "timeout"} & {mark.name for mark in item.iter_markers()})


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over what stays to the end: thousands of tests, and all that they import."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """In CI a skip for something that is not installed is a failure: ``.ci/run`` installs everything.

    But for what it cannot have: Terraform and its provider are in no registry of packages, and skip by that name.
    """
    report: Any = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if os.environ.get("CI") == "true" and reason.removeprefix("Skipped: ").startswith("needs:"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {reason} (in CI a missing program fails)"
    return report
