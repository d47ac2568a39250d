"""The supervisor over small parts: deaths, back-off, and that nothing stays behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from identity.embedded.journal import Journal
from identity.embedded.parts import Ensemble, Part
from identity.embedded.run import House
from identity.embedded.supervisor import Supervisor
from identity.settings import environment
from tests import servers

SMALL_HOUSE = Path(__file__).with_name("small_house.py")


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
    house = start(tmp_path, f"web=echo $$ > {tmp_path}/pid; exec sleep 100")
    first = pid_in(tmp_path / "pid")
    (tmp_path / "pid").unlink()

    os.kill(first, signal.SIGKILL)
    second = pid_in(tmp_path / "pid")
    house.terminate()
    out, _ = house.communicate(timeout=10)

    assert first != second
    assert "web was killed by SIGKILL; it starts again now" in out
    assert house.returncode == 0
    assert not is_alive(second)


def test_five_deaths_in_a_minute_stop_everything_and_name_the_part(tmp_path: Path) -> None:
    house = start(tmp_path, f"good=echo $$ > {tmp_path}/pid; exec sleep 100", "bad=echo no luck; exit 3")

    out, err = house.communicate(timeout=30)

    assert house.returncode == 1
    assert err == "bad ended 5 times within a minute; its last words: no luck"
    assert out.count("no luck") == 5
    assert not is_alive(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    house = start(tmp_path, f"part=echo $$ > {tmp_path}/pid; exec sleep 100")
    part = pid_in(tmp_path / "pid")

    house.send_signal(number)
    house.communicate(timeout=10)

    assert eventually(lambda: not is_alive(part))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_whichever_of_its_threads_the_kernel_gives_the_signal_to(
    tmp_path: Path, number: signal.Signals
) -> None:
    house = start(tmp_path, f"part=echo $$ > {tmp_path}/pid; exec sleep 100")
    part = pid_in(tmp_path / "pid")
    *_, other = sorted(int(thread.name) for thread in Path(f"/proc/{house.pid}/task").iterdir())
    assert other != house.pid

    assert ctypes.CDLL(None, use_errno=True).tgkill(house.pid, other, int(number)) == 0
    house.communicate(timeout=10)

    assert house.returncode == 0
    assert not is_alive(part)


def test_a_second_signal_waits_for_nobody(tmp_path: Path) -> None:
    house = start(tmp_path, f"part=trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 100; done")
    part = pid_in(tmp_path / "pid")
    house.terminate()
    began = monotonic()
    sleep(0.2)

    house.terminate()
    house.communicate(timeout=10)

    assert monotonic() - began < 2  # what the part is given to end
    assert not is_alive(part)


def test_a_part_that_will_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; sleep 100 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/pid; wait; wait"
    house = start(tmp_path, f"part={stubborn}")
    part, child = pid_in(tmp_path / "pid"), pid_in(tmp_path / "child")

    house.terminate()
    house.communicate(timeout=15)

    assert not is_alive(part)
    assert eventually(lambda: not is_alive(child))


def test_orphans_of_a_killed_supervisor_and_a_killed_part_go_at_the_next_start(tmp_path: Path) -> None:
    house = start(tmp_path, f"part=sleep 100 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/pid; wait")
    part, orphan = pid_in(tmp_path / "pid"), pid_in(tmp_path / "child")
    house.kill()
    house.communicate()
    os.kill(part, signal.SIGKILL) if is_alive(part) else None
    assert is_alive(orphan)

    again = start(tmp_path, "part=exec sleep 100")

    assert eventually(lambda: not is_alive(orphan))
    again.terminate()
    again.communicate(timeout=10)


def test_nothing_starts_once_everything_stops(tmp_path: Path) -> None:
    house = Supervisor(tmp_path, Journal())
    house.interrupted()

    late = house.keep(Part("late", ("/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 100")), {})
    late.join(1) if late.ident else None
    house.stop(last=())

    assert not (tmp_path / "pid").exists()


def test_what_fails_as_everything_stops_is_no_reason(tmp_path: Path) -> None:
    house = Supervisor(tmp_path, Journal())
    house.interrupted()

    house.fail("the database went away")

    assert house.verdict == ""


def test_a_first_seed_that_is_stopped_starts_no_aws_and_blames_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    house = House(environment.model_copy(update={"data_dir": tmp_path, "demo": True}))
    seed = Part("seed", ("/bin/sh", "-c", f"echo $$ > {tmp_path}/seed; exec sleep 100"))
    monkeypatch.setattr(house, "manage", lambda *_: house.supervisor.run_once(seed, {}))
    aws = Part("ceph", ("/bin/sh", "-c", f"echo $$ > {tmp_path}/ceph; exec sleep 100"))
    house.supervisor.keep(Part("web", ("/bin/sleep", "100")), {})
    settling = threading.Thread(target=house.settle, args=(Ensemble((aws,)),))
    settling.start()
    pid_in(tmp_path / "seed")

    house.supervisor.interrupted()
    house.supervisor.stop(last=())
    settling.join(10)

    assert not settling.is_alive()
    assert not eventually((tmp_path / "ceph").exists, seconds=1)
    out, err = capfd.readouterr()
    assert "cannot be set up" not in out + err
    assert "is up" not in out + err
    assert house.supervisor.verdict == ""
