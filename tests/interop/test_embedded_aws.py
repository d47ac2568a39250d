"""What `make run` starts as its AWS is kept over restarts, also after it was killed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import monotonic, sleep

import pytest

from identity.embedded import aws
from identity.embedded.aws import ceph, resources
from identity.embedded.parts import CannotStart
from identity.embedded.processes import end, kill_group, spawn
from tests.interop.conftest import client, refused

pytestmark = pytest.mark.interop
BUCKET = "photos"


@contextmanager
def running(data_dir: Path, *, kill: bool = False) -> Iterator[aws.Place]:
    """Run the AWS of a data folder; afterwards end it, or kill it."""
    ensemble = aws.parts(data_dir)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for part in ensemble.parts:
            part.before()
            processes.append(spawn(part, output=subprocess.DEVNULL))
            until = monotonic() + 60
            while not part.ready():
                assert monotonic() < until, part.name
                sleep(0.1)
        assert ensemble.ready()
        yield aws.place(data_dir)
    finally:
        for process, part in reversed(list(zip(processes, ensemble.parts, strict=False))):
            if kill:
                kill_group(process.pid)
                process.wait()
            else:
                end(process, part)


def prepare(place: aws.Place) -> aws.Prepared:
    """Make what the demo needs."""
    return aws.prepare(
        place.endpoint_url,
        place.keys,
        issuer="http://localhost:8000/identity-pools",
        identity_pools=["us-east-1:00000000-0000-4000-8000-000000000000"],
        thumbprint="a" * 40,
        bucket=BUCKET,
        enforces=place.enforces,
        dynamodb_endpoint_url=place.dynamodb_endpoint_url,
        table=BUCKET,
    )


@pytest.mark.timeout(240)
def test_ceph_is_kept_over_restarts_and_after_it_was_killed(tmp_path: Path) -> None:
    if not ceph.is_installed():
        pytest.skip(f"needs: {ceph.NEEDS}")
    with running(tmp_path, kill=True) as place:
        made = prepare(place)
        assert place.enforces
        client("s3", place.endpoint_url, place.keys).put_object(Bucket=BUCKET, Key="photo", Body=b"photo")

    with running(tmp_path) as again:
        assert again == place
        assert prepare(again) == made
        s3 = client("s3", again.endpoint_url, again.keys)
        assert s3.get_object(Bucket=BUCKET, Key="photo")["Body"].read() == b"photo"
        with refused("AccessDenied", "403"):
            client("s3", again.endpoint_url).get_object(Bucket=BUCKET, Key="photo")
        assert client("dynamodb", again.dynamodb_endpoint_url, again.keys).list_tables()["TableNames"] == [BUCKET]


def test_no_command_line_of_cephs_has_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("AKIAEXAMPLE", "a-secret-of-the-administrator")
    gateway = ceph.Ceph(tmp_path, {"mon": 1, "osd": 2, "rgw": 3}, keys)
    gateway.home.mkdir()
    program = tmp_path / "radosgw-admin"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$0.arguments"\necho "$CEPH_ARGS" >"$0.environment"\n')
    program.chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name))

    gateway.before_gateway()

    arguments = Path(f"{program}.arguments").read_text()
    assert f"--access-key={keys[0]}" in arguments.splitlines()
    assert keys[1] not in arguments
    assert Path(f"{program}.environment").read_text().strip() == f"--secret={keys[1]}"


NOT_YET = "Error EPERM: problem getting command descriptions from mon."


@pytest.mark.parametrize(("said", "asked"), [(NOT_YET, 3), ("Error EINVAL: no such store", 1)])
def test_a_monitor_that_does_not_lead_yet_is_asked_again_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, asked: int
) -> None:
    gateway = ceph.Ceph(tmp_path, {"mon": 1, "osd": 2, "rgw": 3}, ("AKIAEXAMPLE", "secret"))
    gateway.home.mkdir()
    (programs := tmp_path / "bin").mkdir()
    program = programs / "ceph"
    program.write_text(
        f'#!/bin/sh\necho >>"$0.asked"\n[ $(wc -l <"$0.asked") = 3 ] || {{ echo "{said}" >&2; exit 1; }}\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda name: str(programs / name))

    with nullcontext() if asked == 3 else pytest.raises(CannotStart, match="no such store"):
        gateway.ask_monitor("osd", "new", "a")

    assert len(Path(f"{program}.asked").read_text()) == asked


def test_without_ceph_moto_stands_in_and_says_that_it_enforces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceph, "is_installed", lambda: False)
    with running(tmp_path) as place:
        made = prepare(place)

        assert not place.enforces
        assert made.member_role.endswith(f":role/{resources.MEMBER_ROLE}")
        given = client("sts", place.endpoint_url).assume_role_with_web_identity(
            RoleArn=made.member_role, RoleSessionName="anyone", WebIdentityToken="garbage"
        )
        assert given["Credentials"]["SecretAccessKey"]
