"""Starting and ending one process of a part, so that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from identity.embedded.parts import Part
from identity.foundation import clock

ENDING_SECONDS = 3
"""How long killed processes may take to end: on a busy machine they hold their ports for a while."""
PARENT_WATCH = Path(__file__).with_name("parent_watch.py")


def ended_with_parent(part: Part, settings: Mapping[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts the part so that it ends with its parent, and its environment."""
    ids = f"{part.uid}:{part.gid}" if part.uid is not None else "-"
    environment = {**os.environ, **(settings or {}), **part.environment}
    return watched(part.command, part.stop_signal, ids), {name: value for name, value in environment.items() if value}


def watched(command: Sequence[str], number: int = signal.SIGKILL, ids: str = "-") -> list[str]:
    """Return the command that runs another, which gets a signal where this process ends before it."""
    return [sys.executable, "-I", "-S", str(PARENT_WATCH), str(os.getpid()), str(int(number)), ids, *command]


def spawn(
    part: Part, settings: Mapping[str, str] | None = None, output: int | IO[bytes] = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start the part in a process group of its own."""
    command, environment = ended_with_parent(part, settings)
    return subprocess.Popen(
        command,
        cwd=part.directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], part: Part) -> None:
    """Ask the process to end, then make it; whatever is left of its group goes too."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(part.stop_signal)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(part.stop_seconds)
    kill_group(process.pid)
    process.wait()


def kill_group(leader: int) -> None:
    """Kill what is left of a process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def is_out_of_disk(text: str) -> bool:
    """Say whether a program's words mean a full disk."""
    return "No space left on device" in text or "Disk quota exceeded" in text


def remember(place: Path, leader: int, name: str) -> None:
    """Write down a part's process group, for :func:`forget_all` of the next start."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    (place / str(leader)).write_text(f"{boot()} {born(leader)} {name}")


def forget(place: Path, leader: int) -> None:
    """Take a process group that has ended off the list."""
    (place / str(leader)).unlink(missing_ok=True)


def forget_all(place: Path) -> None:
    """Kill the groups that a killed supervisor and its killed parts left, wait for their end, and empty the list."""
    until = clock.monotonic() + ENDING_SECONDS
    for note in place.iterdir() if place.is_dir() else ():
        leader = int(note.name)
        was_boot, was_born, _ = (note.read_text() + "  ").split(" ", 2)
        # A pid is not given again while its group has members: a leader that is gone, or that is still
        # the same, means that whatever is in the group is ours.
        if was_boot == boot() and born(leader) in {"", was_born}:
            kill_group(leader)
            while is_there(leader) and clock.monotonic() < until:
                time.sleep(0.02)
        note.unlink()


def is_there(leader: int) -> bool:
    """Say whether a process group has members that are ours."""
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def boot() -> str:
    """Return what tells this boot of the machine from others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def born(pid: int) -> str:
    """Return when the process started, in the kernel's ticks; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
