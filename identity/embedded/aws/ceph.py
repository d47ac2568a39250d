"""Ceph, small: one monitor, one store, one gateway, without authentication among them, on loopback.

The gateway's STS reads our keys, checks our tokens and enforces policies on S3. Nothing of it is needed by anything
but the demo and the interop tests.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from identity.embedded.aws.ports import answers
from identity.embedded.parts import CannotStart, Part
from identity.embedded.processes import watched
from identity.foundation import clock

PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool")
NEEDS = "radosgw (apt-get install radosgw ceph-mon ceph-osd ceph-common)"
STORE = 0
"""The number of the one store: the first that a monitor gives."""
BLOCK = 2 << 30
"""Room for objects; a sparse file."""
PATIENCE = 90
NOT_LEADING = "problem getting command descriptions from mon"
"""What the last line of ``ceph`` says where the monitor listens, and has not been elected yet."""
CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{mon}
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr2 = false
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 5000
mon data avail crit = 0
mon data avail warn = 0
mon warn on pool no redundancy = false
paxos propose interval = 0.05
run dir = {home}
chdir =
pid file =
admin socket =
crash dir = {home}
log file = {home}/$name.log
log to stderr = false
err to stderr = true
debug ms = 0/0
debug rgw = {debug}/0
debug rocksdb = 0/0
debug bluestore = 0/0
debug bluefs = 0/0
debug bdev = 0/0
debug osd = 0/0
debug mon = 0/0
debug paxos = 0/0
keyring = {home}/keyring
[mon]
mon data = {home}/mon
[osd]
osd data = {home}/osd
osd objectstore = bluestore
bluestore block size = {block}
osd class update on start = false
osd crush update on start = false
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw s3 auth use sts = true
rgw sts key = {sts_key}
rgw thread pool size = 64
rgw enable usage log = false
"""


def is_installed() -> bool:
    """Say whether the machine has all of it."""
    return all(map(shutil.which, PROGRAMS))


class Ceph:
    """One small cluster in ``home/ceph``, kept over restarts, also after it was killed."""

    def __init__(self, home: Path, ports: Mapping[str, int], keys: tuple[str, str], *, debug: int = 0) -> None:
        """Know folder, ports and the administrator's keys; touch nothing yet. ``debug``: how much the gateway logs."""
        self.home = home / "ceph"
        self.ports = ports
        self.keys = keys
        self.debug = debug

    @property
    def configuration(self) -> Path:
        """Return the cluster's configuration file."""
        return self.home / "ceph.conf"

    @property
    def endpoint_url(self) -> str:
        """Return where STS and S3 answer."""
        return f"http://127.0.0.1:{self.ports['rgw']}"

    def parts(self) -> tuple[Part, ...]:
        """Return monitor, store and gateway as the supervisor keeps them."""
        return (
            Part(
                name="ceph-mon",
                command=self.command("ceph-mon", "-i", "a", "-f"),
                directory=self.home,
                before=self.before_monitor,
                ready=lambda: answers(self.ports["mon"]),
                hushed=("set uid:gid", "log_channel(cluster)"),
            ),
            Part(
                name="ceph-osd",
                command=self.command("ceph-osd", "-i", str(STORE), "-f"),
                directory=self.home,
                before=self.before_store,
                after=("ceph-mon",),
                hushed=("public interface", "log_to_monitors", "set uid:gid", "initial osdmap"),
            ),
            Part(
                name="radosgw",
                command=self.command("radosgw", "-n", "client.rgw", "-f"),
                directory=self.home,
                before=self.before_gateway,
                ready=self.answers,
                ready_seconds=PATIENCE,
                after=("ceph-osd",),
            ),
        )

    def command(self, program: str, *arguments: str) -> tuple[str, ...]:
        """Return a command of Ceph's with this cluster's configuration, to be run in its folder.

        Ceph reads what follows ``-c`` as a list, and cuts a value of its configuration off at ``#``: both have relative
        paths alone.
        """
        return (shutil.which(program) or program, "-c", self.configuration.name, *arguments)

    def run(self, program: str, *arguments: str, secretly: str | None = None) -> str:
        """Run a command of Ceph's to its end; return what it prints.

        ``secretly``: one more argument. Everyone on the machine may read a command line, but not an environment.

        Raises:
            CannotStart: it failed, or hangs.

        """
        try:
            done = subprocess.run(
                watched(self.command(program, *arguments)),
                cwd=self.home,
                env=None if secretly is None else {"CEPH_ARGS": secretly},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotStart(f"Ceph: {program} does not end; see {self.home}") from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CannotStart(f"Ceph: {program} fails: {last}; see {self.home}")
        return done.stdout

    def ask_monitor(self, *arguments: str) -> str:
        """Have the monitor do something; asked again while it answers, but does not lead its cluster yet.

        Raises:
            CannotStart: it failed, or does not lead in time.

        """
        until = clock.monotonic() + PATIENCE
        while True:
            try:
                return self.run("ceph", *arguments)
            except CannotStart as problem:
                if NOT_LEADING not in str(problem) or clock.monotonic() > until:
                    raise
            time.sleep(0.5)

    def before_monitor(self) -> None:
        """Write the configuration; make the monitor's folder unless it was made to its end."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for log in self.home.glob("*.log"):
            log.unlink()
        identity = self.identity()
        self.configuration.write_text(
            CONFIGURATION.format(
                **identity,
                **{name: self.ports[name] for name in ("mon", "rgw")},
                home=".",
                block=BLOCK,
                debug=self.debug,
            )
        )
        made = self.home / "mon.port"
        port = str(self.ports["mon"])
        if made.exists() and made.read_text() == port:
            return
        monitors = self.home / "monmap"
        address = f"[v1:127.0.0.1:{port}]"
        self.run(
            "monmaptool", "--create", "--clobber", "--addv", "a", address, "--fsid", identity["fsid"], monitors.name
        )
        if made.exists():  # the port was taken meanwhile: the monitor learns its new one
            self.run("ceph-mon", "-i", "a", "--inject-monmap", monitors.name)
        else:
            shutil.rmtree(self.home / "mon", ignore_errors=True)
            self.run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monitors.name)
        made.write_text(port)

    def before_store(self) -> None:
        """Make the store unless it was made to its end."""
        made = self.home / "osd.made"
        if made.exists():
            return
        shutil.rmtree(self.home / "osd", ignore_errors=True)
        (self.home / "osd").mkdir(mode=0o700)
        name = self.identity()["osd"]
        # Answers the same number when asked again for the same name.
        self.ask_monitor("--connect-timeout", "30", "osd", "new", name)
        # By hand, and not by the store at each start: that one may ask before it knows the cluster, and dies of it.
        self.ask_monitor("osd", "crush", "create-or-move", f"osd.{STORE}", "1.0", "host=here", "root=default")
        self.run("ceph-osd", "-i", str(STORE), "--mkfs", "--osd-uuid", name)
        made.touch()

    def before_gateway(self) -> None:
        """Make the administrator once. Waits for the store."""
        made = self.home / "admin.made"
        if made.exists():
            return
        access_key, secret_key = self.keys
        try:
            self.run(
                "radosgw-admin",
                "-n",
                "client.rgw",
                "user",
                "create",
                "--uid=admin",
                "--display-name=admin",
                f"--access-key={access_key}",
                "--caps=roles=*;oidc-provider=*",
                secretly=f"--secret={secret_key}",
            )
        except CannotStart as problem:
            if "exists" not in str(problem):
                raise
        made.touch()

    def identity(self) -> dict[str, str]:
        """Return the cluster's own ids and key, made once."""
        note = self.home / "cluster.json"
        if not note.exists():
            made = {"fsid": str(uuid.uuid4()), "osd": str(uuid.uuid4()), "sts_key": uuid.uuid4().hex[:16]}
            draft = note.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(made))
            draft.rename(note)
        found: dict[str, str] = json.loads(note.read_text())
        return found

    def answers(self) -> bool:
        """Say whether the gateway answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["rgw"], timeout=1)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
