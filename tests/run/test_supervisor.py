"""The supervisor over small parts: deaths, back-off, and that nothing stays behind."""

from __future__ import annotations

import ctypes
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from identity.embedded import journal
from identity.embedded.journal import Journal
from identity.embedded.parts import Part, PartGroup
from identity.embedded.run import Installation
from identity.embedded.supervisor import Supervisor
from identity.settings import environment
from tests import servers

SMALL_HOUSE = Path(__file__).with_name("small_installation.py")


def start(data_dir: Path, *parts: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SMALL_HOUSE), str(data_dir), *parts],
        env={**os.environ, "PYTHONPATH": str(servers.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    until = monotonic() + seconds
    while not condition():
        if monotonic() > until:
            return False
        sleep(0.02)
    return True


def pid_in(path: Path) -> int:
    assert eventually(lambda: path.exists() and path.read_text().strip().isdigit())
    return int(path.read_text())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_part_that_dies_starts_again_at_once(tmp_path: Path) -> None:
    installation = start(tmp_path, f"web=echo $$ > {tmp_path}/pid; exec sleep 100")
    first = pid_in(tmp_path / "pid")
    (tmp_path / "pid").unlink()

    os.kill(first, signal.SIGKILL)
    second = pid_in(tmp_path / "pid")
    installation.terminate()
    out, _ = installation.communicate(timeout=10)

    assert first != second
    assert "web was killed by SIGKILL; it starts again now" in out
    assert installation.returncode == 0
    assert not is_alive(second)


def test_five_deaths_in_a_minute_stop_everything_name_the_part_and_show_its_last_lines(tmp_path: Path) -> None:
    installation = start(tmp_path, f"good=echo $$ > {tmp_path}/pid; exec sleep 100", "bad=echo no luck; exit 3")
    file = tmp_path / "log" / "bad.log"

    out, err = installation.communicate(timeout=30)

    assert installation.returncode == 1
    last = "\n".join(["  no luck"] * 5)
    assert err == f"bad ended 5 times within a minute. Its last lines, of those in {file}:\n{last}"
    assert "no luck" not in out
    assert out.count("bad ended with status 3; it starts again ") == 4
    assert file.read_text() == "no luck\n" * 5
    assert not is_alive(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    installation = start(tmp_path, f"part=echo $$ > {tmp_path}/pid; exec sleep 100")
    part = pid_in(tmp_path / "pid")

    installation.send_signal(number)
    installation.communicate(timeout=10)

    assert eventually(lambda: not is_alive(part))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_whichever_of_its_threads_the_kernel_gives_the_signal_to(
    tmp_path: Path, number: signal.Signals
) -> None:
    installation = start(tmp_path, f"part=echo $$ > {tmp_path}/pid; exec sleep 100")
    part = pid_in(tmp_path / "pid")
    *_, other = sorted(int(thread.name) for thread in Path(f"/proc/{installation.pid}/task").iterdir())
    assert other != installation.pid

    assert ctypes.CDLL(None, use_errno=True).tgkill(installation.pid, other, int(number)) == 0
    installation.communicate(timeout=10)

    assert installation.returncode == 0
    assert not is_alive(part)


def test_a_second_signal_waits_for_nobody(tmp_path: Path) -> None:
    installation = start(tmp_path, f"part=trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 100; done")
    part = pid_in(tmp_path / "pid")
    installation.terminate()
    began = monotonic()
    sleep(0.2)

    installation.terminate()
    installation.communicate(timeout=10)

    assert monotonic() - began < 2  # what the part is given to end
    assert not is_alive(part)


def test_a_part_that_will_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; sleep 100 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/pid; wait; wait"
    installation = start(tmp_path, f"part={stubborn}")
    part, child = pid_in(tmp_path / "pid"), pid_in(tmp_path / "child")

    installation.terminate()
    installation.communicate(timeout=15)

    assert not is_alive(part)
    assert eventually(lambda: not is_alive(child))


def test_orphans_of_a_killed_supervisor_and_a_killed_part_go_at_the_next_start(tmp_path: Path) -> None:
    installation = start(tmp_path, f"part=sleep 100 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/pid; wait")
    part, orphan = pid_in(tmp_path / "pid"), pid_in(tmp_path / "child")
    installation.kill()
    installation.communicate()
    os.kill(part, signal.SIGKILL) if is_alive(part) else None
    assert is_alive(orphan)

    again = start(tmp_path, "part=exec sleep 100")

    assert eventually(lambda: not is_alive(orphan))
    again.terminate()
    again.communicate(timeout=10)


def told(folder: Path, *lines: str, hushed: tuple[str, ...] = ()) -> str:
    """Have a part say these lines; return what the terminal shows."""
    out = io.StringIO()
    Journal(folder, out).copy("web", io.BytesIO("".join(f"{line}\n" for line in lines).encode()), hushed)
    return out.getvalue()


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("2026-11-28T17:45:31.116191Z [info     ] Task pools.tasks.purge received [celery.worker.strategy]", False),
        (
            "2026-11-28T17:45:31.116191Z [warning  ] message_limited [pools.services.messages.send_limits] limit=hour",
            False,
        ),
        ("2026-11-28T17:45:31.116191Z [error    ] wire_failed [pools.cognito.gateway] operation=SignUp", True),
        ("2026-11-28T17:45:31.116191Z [warning  ] the demo is not whole [identity.demo] remedy='a new one'", True),
        ('{"level": "error", "event": "wire_failed"}', True),
        ('{"level": "info", "event": "errors are none"}', False),
        ("[ERROR] Unexpected exit from worker-1", True),
        ("GET /?error=access_denied 200", False),
    ],
)
def test_the_terminal_is_told_of_what_a_person_should_hear_and_each_thing_once(
    tmp_path: Path, line: str, is_told: bool
) -> None:
    said = told(tmp_path, line, line.replace("SignUp", "GetUser"), line)

    assert said.count("\n") == int(is_told)
    assert (tmp_path / "web.log").read_text().count("\n") == 3


def test_a_long_line_does_not_fill_the_terminal(tmp_path: Path) -> None:
    assert len(told(tmp_path, "[error    ] wire_failed " + "x" * 10_000)) < 500


def test_what_fits_no_embedded_server_is_no_last_word(tmp_path: Path) -> None:
    it = Journal(tmp_path, io.StringIO())

    it.copy("web", io.BytesIO(b"cannot bind\n[error    ] advice\n"), ("advice",))

    assert it.last_lines("web") == f"Its last lines, of those in {tmp_path}/web.log:\n  cannot bind"
    assert it.last_lines("worker") == "It wrote nothing."
    assert "advice" in (tmp_path / "web.log").read_text()


def test_log_files_are_their_owners_alone_new_at_each_start_and_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LONGEST_FILE", 1000)
    folder = tmp_path / "log"
    told(folder, "of the start before")

    told(folder, "of this start")
    first, second = (folder / "web.log").read_text(), (folder / "web.log.1").read_text()
    told(folder, *(f"line {number}" for number in range(1000)))

    assert (first, second) == ("of this start\n", "of the start before\n")
    kept = sorted(folder.iterdir())
    assert [path.name for path in kept] == ["web.log", "web.log.1"]
    assert all(path.stat().st_size <= 1000 for path in kept)
    assert kept[0].read_text().endswith("line 999\n")
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_log_that_cannot_be_written_ends_no_part(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no folder")

    assert told(tmp_path / "log", "[error    ] the disk is full")


def test_nothing_starts_once_everything_stops(tmp_path: Path) -> None:
    installation = Supervisor(tmp_path, Journal(tmp_path / "log"))
    installation.interrupted()

    late = installation.keep(Part("late", ("/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 100")), {})
    late.join(1) if late.ident else None
    installation.stop(last=())

    assert not (tmp_path / "pid").exists()


def test_what_fails_as_everything_stops_is_no_reason(tmp_path: Path) -> None:
    installation = Supervisor(tmp_path, Journal(tmp_path / "log"))
    installation.interrupted()

    installation.fail("the database went away")

    assert installation.verdict == ""


def test_a_first_seed_that_is_stopped_starts_no_aws_and_blames_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    installation = Installation(environment.model_copy(update={"data_dir": tmp_path, "demo": True}))
    seed = Part("seed", ("/bin/sh", "-c", f"echo $$ > {tmp_path}/seed; exec sleep 100"))
    monkeypatch.setattr(installation, "manage", lambda *_: installation.supervisor.run_once(seed, {}))
    aws = Part("ceph", ("/bin/sh", "-c", f"echo $$ > {tmp_path}/ceph; exec sleep 100"))
    installation.supervisor.keep(Part("web", ("/bin/sleep", "100")), {})
    settling = threading.Thread(target=installation.settle, args=(PartGroup((aws,)),))
    settling.start()
    pid_in(tmp_path / "seed")

    installation.supervisor.interrupted()
    installation.supervisor.stop(last=())
    settling.join(10)

    assert not settling.is_alive()
    assert not eventually((tmp_path / "ceph").exists, seconds=1)
    out, err = capfd.readouterr()
    assert "cannot be set up" not in out + err
    assert "is up" not in out + err
    assert installation.supervisor.verdict == ""
