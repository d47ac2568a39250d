"""What ``make run`` says: few lines to the terminal, everything that parts say to files of their own.

A file is ``log/NAME.log`` in the data folder, for its owner alone, since lines may hold addresses. That of the start
before is kept beside it as ``NAME.log.1``; so is the first half of one that grows too long.
"""

from __future__ import annotations

import collections
import contextlib
import os
import re
import sys
import threading
from pathlib import Path
from typing import IO

from identity.foundation import clock

LAST_LINES = 10
LONGEST_FILE = 8 * 1024 * 1024
LONGEST_NOTICE = 300
# What a person should hear of at once: failures, and warnings that say what to do.
NOTABLE = re.compile(r"\[(?:error|critical) *\]|\bremedy=|\"level\": \"(?:error|critical)\"|\"remedy\":", re.IGNORECASE)
STAMP = re.compile(r"^[\d:.TZ-]{20,} ")
EVENT = re.compile(r"(?:\] |\"event\": \")([^=\[\"]+)")


def shown(path: Path) -> str:
    """Return a path as a person types it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


class LogFile:
    """One part's file of this start."""

    def __init__(self, path: Path) -> None:
        """Begin it; what was there becomes the one before."""
        self.path = path
        self.handle = -1
        self.size = 0

    def begin(self) -> None:
        """Put the full file aside and begin an empty one."""
        if self.handle >= 0:
            os.close(self.handle)
        self.handle, self.size = -1, 0
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.parent.chmod(0o700)
        with contextlib.suppress(FileNotFoundError):
            self.path.replace(f"{self.path}.1")
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def write(self, line: str) -> None:
        """Add a line."""
        written = f"{line}\n".encode(errors="replace")
        if self.handle < 0 or self.size + len(written) > LONGEST_FILE:
            self.begin()
        self.size += os.write(self.handle, written)


class Journal:
    """Writes whole lines, one at a time, and remembers each part's last ones."""

    def __init__(self, folder: Path, out: IO[str] | None = None) -> None:
        """Keep files in that folder; write to the terminal unless told otherwise."""
        self.folder = folder
        self.out = out or sys.stdout
        self.began = clock.monotonic()
        self.lock = threading.Lock()
        self.files: dict[str, LogFile] = {}
        self.noticed: set[tuple[str, str]] = set()
        self.last: dict[str, collections.deque[str]] = collections.defaultdict(
            lambda: collections.deque(maxlen=LAST_LINES)
        )

    def say(self, line: str) -> None:
        """Tell a person something, with the seconds since the start."""
        stamped = f"{clock.monotonic() - self.began:6.1f} s  {line}"
        with self.lock:
            self.keep("run", stamped)
            self.write(f"{stamped}\n")

    def show(self, text: str) -> None:
        """Show a text as it is, and keep it nowhere: it may hold a link that signs in."""
        with self.lock:
            self.write(text)

    def copy(self, name: str, stream: IO[bytes], hushed: tuple[str, ...] = ()) -> None:
        """Keep what a part says until it says no more; what a person should hear is said once a start."""
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                if not line:
                    continue
                with self.lock:
                    self.keep(name, line)
                if any(words in line for words in hushed):
                    continue
                self.last[name].append(line)
                if NOTABLE.search(line):
                    self.notice(name, STAMP.sub("", line))

    def notice(self, name: str, line: str) -> None:
        """Say that a part has something to tell, unless it has told the same in this start."""
        event = EVENT.search(line)
        what = (name, event[1].strip() if event else line)
        if what not in self.noticed:
            self.noticed.add(what)
            cut = line if len(line) <= LONGEST_NOTICE else line[:LONGEST_NOTICE] + " ..."
            self.say(f"{name}: {cut} (more in {self.place(name)})")

    def place(self, name: str) -> str:
        """Return where the part's lines are."""
        return shown(self.folder / f"{name}.log")

    def last_lines(self, name: str) -> str:
        """Return the part's last lines and where the others are, for the message that names it."""
        lines = self.last[name]
        if not lines:
            return "It wrote nothing."
        text = "\n".join(f"  {line}" for line in lines)
        return f"Its last lines, of those in {self.place(name)}:\n{text}"

    def keep(self, name: str, line: str) -> None:
        """Write into a part's file. A full disk ends no part: what stands in the way is its line."""
        try:
            if name not in self.files:
                self.files[name] = LogFile(self.folder / f"{name}.log")
            self.files[name].write(line)
        except OSError:
            return

    def write(self, text: str) -> None:
        """Write, and do not mind a terminal that has gone away."""
        try:
            self.out.write(text)
            self.out.flush()
        except (OSError, ValueError):
            return
