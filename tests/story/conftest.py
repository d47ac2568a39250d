"""Where the story happens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.house import WithAws


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WithAws]:
    """Start what ``make run`` starts, with Ceph as its AWS."""
    if not shutil.which("radosgw"):
        pytest.skip("needs: radosgw (apt-get install radosgw ceph-mon ceph-osd ceph-common)")
    built = WithAws(tmp_path / "var", WEB_WORKERS="2")
    try:
        built.start()
        yield built
    finally:
        if built.process and built.process.poll() is None:
            built.stop()
