"""A data folder may have any path: each program that keeps something there is told it so that it is understood.

What they do there is `make run`'s, whose tests start it; here nothing is started.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.utils.url import parse_url as broker_parts
from redis.connection import parse_url

from identity.embedded import sockets
from identity.embedded.aws.ceph import Ceph
from identity.embedded.parts import CannotStart
from identity.embedded.postgres import Postgres
from identity.embedded.redis import Redis
from identity.embedded.sockets import machine_path
from identity.foundation import server_urls

ODD = ("My projects", "My projects é", "a+b", "100%", "50%20", "#1", "a&b=c?d", "[x]:1@y", 'it\'s "so"', "a,b", "a;b")
PASSWORD = "p#a/s:s@%?+"


@pytest.fixture(params=ODD)
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a data folder of an odd name, with what the programs keep their addresses by."""
    made = Path("/tmp") / f"cognate-test-{os.getpid()}" / str(request.param)
    made.mkdir(parents=True)
    (made / "postgres_password").write_text(PASSWORD)
    yield made
    if (pointer := made / "machine_path").exists():
        shutil.rmtree(Path(pointer.read_text().strip()).parent)
    shutil.rmtree(made.parent)


def test_sockets_are_found_where_they_are(folder: Path) -> None:
    found = server_urls.database(Postgres(folder).url("a_b c"), 30)
    redis = server_urls.redis(Redis(folder).url())
    with Connection(server_urls.celery(redis)) as broker:
        hostname = str(broker.hostname)

    assert Path(found["HOST"]).resolve() == (folder / "postgres" / "sockets").resolve()
    assert "," not in found["HOST"]  # several hosts, to libpq
    assert (found["NAME"], found["PASSWORD"]) == ("a_b c", PASSWORD)
    assert Path(parse_url(redis)["path"]).resolve() == (folder / "redis" / "redis.sock").resolve()  # type: ignore[no-untyped-call]
    assert Path("/" + broker_parts(hostname)["virtual_host"]).resolve() == (folder / "redis" / "redis.sock").resolve()


def test_ceph_is_told_no_path_at_all(folder: Path) -> None:
    ceph = Ceph(folder, {"mon": 1, "rgw": 2}, ("key", "secret"))

    for part in ceph.parts():
        assert part.directory == ceph.home
        assert not any(str(folder) in word for word in part.command)


def test_a_path_that_no_socket_can_have_gets_a_short_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("é" * 60)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")

    link = machine_path(long)

    assert len(os.fsencode(link)) + sockets.BELOW <= sockets.LONGEST
    assert link.resolve() == long.resolve()
    assert machine_path(long) == link
    shutil.rmtree(link.parent)


def test_where_no_link_can_be_made_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(CannotStart, match="set DATA_DIR to another folder"):
        machine_path(long)
