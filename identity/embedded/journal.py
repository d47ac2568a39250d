"""The one log of ``make run``: each line is prefixed with the part that said it."""

from __future__ import annotations

import collections
import sys
import threading
from typing import IO

WIDTH = 9
LAST_WORDS = 5


class Journal:
    """Writes whole lines, one at a time, and remembers each part's last ones."""

    def __init__(self, out: IO[str] | None = None) -> None:
        """Write to the terminal unless told otherwise."""
        self.out = out or sys.stdout
        self.lock = threading.Lock()
        self.last: dict[str, collections.deque[str]] = collections.defaultdict(
            lambda: collections.deque(maxlen=LAST_WORDS)
        )

    def say(self, name: str, line: str) -> None:
        """Write one line."""
        with self.lock:
            self.last[name].append(line)
            self.write(f"{name:<{WIDTH}}| {line}\n")

    def show(self, text: str) -> None:
        """Write a text as it is."""
        with self.lock:
            self.write(text)

    def copy(self, name: str, stream: IO[bytes], hushed: tuple[str, ...] = ()) -> None:
        """Write what a part says until it says no more."""
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                if line and not any(words in line for words in hushed):
                    self.say(name, line)

    def last_words(self, name: str) -> str:
        """Return the part's last line, for the message that names it."""
        return self.last[name][-1] if self.last[name] else "it said nothing"

    def write(self, text: str) -> None:
        """Write, and do not mind a terminal that has gone away."""
        try:
            self.out.write(text)
            self.out.flush()
        except (OSError, ValueError):
            return
