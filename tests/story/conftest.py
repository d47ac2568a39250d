"""Where the story happens: what ``make run`` starts, with each AWS that its demo may have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.run.installation import lived_in
from tests.story.installation import CEPH, MOTO, Lane, WithAws, wait_for_aws

# What a start with Ceph left in the file.
EARLIER = {"aws_endpoint_url": "http://127.0.0.1:1", "aws_enforces": True, "aws_is_demo": True}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[WithAws]:
    """Start it with Ceph."""
    if not shutil.which("radosgw"):
        pytest.skip("needs: radosgw (apt-get install radosgw ceph-mon ceph-osd ceph-common)")
    built = WithAws(tmp_path / "var", WEB_WORKERS="2")
    try:
        built.start()
        yield built
    finally:
        if built.process and built.process.poll() is None:
            built.stop()


@pytest.fixture(scope="session")
def stand_in(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithAws]:
    """Start it as on a machine without Ceph, and wait until its AWS is seeded."""
    del browser  # without Chromium nothing needs to start
    place = tmp_path_factory.mktemp("stand-in")
    built = WithAws(lived_in(place / "var"), PATH=str(path_without_ceph(place / "bin")))
    (built.data_dir / "bootstrap.json").write_text(json.dumps(EARLIER))
    try:
        built.start()
        wait_for_aws(built)
        yield built
    finally:
        built.stop()


def path_without_ceph(folder: Path) -> Path:
    """Make a PATH of one folder, with the one program that is looked for."""
    folder.mkdir()
    found = shutil.which("redis-server")
    if found:
        (folder / "redis-server").symlink_to(found)
    return folder


@pytest.fixture(params=["moto", pytest.param("ceph", marks=pytest.mark.interop)])
def lane(request: pytest.FixtureRequest, browser: Browser) -> tuple[Lane, WithAws]:
    """Return each AWS, and what was started with it."""
    del browser  # named, so that every test has the same browser, and the stand-in is started once
    if request.param == "moto":
        return MOTO, request.getfixturevalue("stand_in")
    return CEPH, request.getfixturevalue("installation")
