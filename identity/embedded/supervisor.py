"""Keeps parts alive: starts them in order, starts again what died, and leaves nothing behind when it ends.

Knows nothing of what the parts are; ``run`` tells it.
"""

from __future__ import annotations

import collections
import contextlib
import math
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from identity.embedded.journal import Journal
from identity.embedded.parts import CannotStart, Part
from identity.embedded.processes import forget, kill_group, remember, spawn
from identity.foundation import clock

DEATHS = 5
WITHIN = 60.0
# Waits after the first, second, ... death within a minute: at once, then longer.
BACK_OFF = (0.0, 0.5, 1.5, 4.0)
GLANCE = 0.05
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PartRunner(threading.Thread):
    """Keeps one part alive. The kernel ties the process to this thread, which therefore lives as long as it."""

    def __init__(self, supervisor: Supervisor, part: Part, settings: Mapping[str, str], *, quiet: bool) -> None:
        """Know the part; ``start`` begins. Quiet: nobody is told when it is ready, only when it dies."""
        super().__init__(name=part.name, daemon=True)
        self.supervisor = supervisor
        self.quiet = quiet
        self.part = part
        self.settings = settings
        self.stopping = threading.Event()
        self.ready = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths: collections.deque[float] = collections.deque(maxlen=DEATHS)

    def run(self) -> None:
        """Start the part whenever it does not run, until told to stop."""
        try:
            while not self.stopping.is_set():
                self.wait_for_others()
                self.part.before()
                if not self.stopping.is_set():
                    self.one_life()
        except CannotStart as problem:
            self.supervisor.fail(str(problem))
        except Exception as problem:  # noqa: BLE001 - a runner that dies silently would hide the part's end
            self.supervisor.fail(f"{self.part.name} cannot be started: {problem}")

    def wait_for_others(self) -> None:
        """Wait until the parts that this one needs are ready."""
        for name in self.part.after:
            while not self.stopping.is_set() and not self.supervisor.runners[name].ready.wait(GLANCE):
                pass

    def one_life(self) -> None:
        """Start the process, watch it, and clean up after it."""
        self.process = process = spawn(self.part, self.settings)
        remember(self.supervisor.notes, process.pid, self.part.name)
        if process.stdout is None:
            raise RuntimeError("spawned without a pipe")
        reader = threading.Thread(
            target=self.supervisor.journal.copy, args=(self.part.name, process.stdout, self.part.hushed), daemon=True
        )
        reader.start()
        if self.becomes_ready(process):
            if self.deaths or not self.quiet:
                self.supervisor.say(f"{self.part.name} is ready{' again' if self.deaths else ''}")
            self.ready.set()
        code = process.wait()
        self.ready.clear()
        kill_group(process.pid)
        reader.join(1)
        forget(self.supervisor.notes, process.pid)
        if not self.stopping.is_set():
            self.wait_after_death(code)

    def becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the part is ready; kill it if that takes too long."""
        until = clock.monotonic() + self.part.ready_seconds
        while process.poll() is None and not self.stopping.is_set():
            if self.part.ready():
                return True
            if clock.monotonic() > until:
                self.supervisor.say(f"{self.part.name} was not ready in {self.part.ready_seconds:.0f} s")
                kill_group(process.pid)
                return False
            self.stopping.wait(GLANCE)
        return False

    def wait_after_death(self, code: int) -> None:
        """Wait a little longer after each death; give up after the fifth in a minute."""
        now = clock.monotonic()
        self.deaths.append(now)
        recent = sum(now - death < WITHIN for death in self.deaths)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        if recent >= DEATHS:
            self.stopping.set()
            last = self.supervisor.journal.last_lines(self.part.name)
            self.supervisor.fail(f"{self.part.name} ended {DEATHS} times within a minute. {last}")
            return
        pause = BACK_OFF[recent - 1]
        when = f"in {pause} s" if pause else "now"
        self.supervisor.say(
            f"{self.part.name} {how}; it starts again {when} ({self.supervisor.journal.place(self.part.name)})"
        )
        self.stopping.wait(pause)

    def stop(self, *, at_once: bool = False) -> None:
        """Ask the part to end; :meth:`finish` waits."""
        self.stopping.set()
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL if at_once else self.part.stop_signal)

    def finish(self) -> None:
        """Wait for the end, and make it come."""
        if not self.ident:
            return
        until = clock.monotonic() + self.part.stop_seconds
        while self.is_alive() and clock.monotonic() < until and not self.supervisor.hurried.is_set():
            self.join(GLANCE)
        if self.process:
            kill_group(self.process.pid)
        self.join(self.part.stop_seconds)


class Supervisor:
    """All runners together."""

    def __init__(self, data_dir: Path, journal: Journal) -> None:
        """Have nothing to keep yet."""
        self.notes = data_dir / "processes"
        self.journal = journal
        self.runners: dict[str, PartRunner] = {}
        self.stopping = threading.Event()
        self.hurried = threading.Event()
        self.verdict = ""
        self._starting = threading.Lock()

    def listen(self) -> None:
        """Take the signals that mean stop; the second one means now.

        By a pipe: Python's handlers run in the main thread only, which sleeps on when the kernel gives a signal to
        another thread, and which may itself hold the lock of what a handler sets.
        """
        readable, writable = os.pipe()
        os.set_blocking(writable, False)
        signal.set_wakeup_fd(writable)
        for number in STOPPING:
            signal.signal(number, lambda *_: None)  # one must be there for the pipe to be told
        threading.Thread(name="signals", target=self.handle_signal, args=(readable,), daemon=True).start()

    def handle_signal(self, readable: int) -> None:
        """Stop, or hurry, for each signal that comes."""
        while os.read(readable, 1):
            self.interrupted()

    def interrupted(self) -> None:
        """Note that it is time to stop, or to hurry."""
        if self.stopping.is_set():
            self.hurried.set()
        self.stopping.set()

    def say(self, line: str) -> None:
        """Write a line of the supervisor's own."""
        self.journal.say(line)

    def fail(self, line: str) -> None:
        """Stop everything and say why. The first reason counts; what fails as everything stops is none."""
        if not self.stopping.is_set():
            self.verdict = line
            self.stopping.set()

    def keep(self, part: Part, settings: Mapping[str, str], *, quiet: bool = False) -> PartRunner:
        """Start a part and keep it alive, unless everything stops: :meth:`stop` could not know of it."""
        runner = PartRunner(self, part, settings, quiet=quiet)
        with self._starting:
            self.runners[part.name] = runner
            if not self.stopping.is_set():
                runner.start()
        return runner

    def wait_ready(self, *names: str, seconds: float = math.inf) -> bool:
        """Wait until these parts are ready; no if everything stops first, or so many seconds are over."""
        until = clock.monotonic() + seconds
        return all(self.wait_for(self.runners[name].ready, until) for name in names)

    def wait_for(self, event: threading.Event, until: float) -> bool:
        """Wait for an event; no if everything stops first, or that time comes."""
        while not self.stopping.is_set() and clock.monotonic() < until:
            if event.wait(GLANCE):
                return True
        return False

    def run_once(self, part: Part, settings: Mapping[str, str]) -> bool:
        """Run a program to its end, in this thread; say whether it did its work."""
        if self.stopping.is_set():
            return False
        process = spawn(part, settings)
        remember(self.notes, process.pid, part.name)
        if process.stdout is None:
            raise RuntimeError("spawned without a pipe")
        reader = threading.Thread(target=self.journal.copy, args=(part.name, process.stdout, part.hushed), daemon=True)
        reader.start()
        while process.poll() is None and not self.stopping.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GLANCE)
        kill_group(process.pid)
        code = process.wait()
        reader.join(1)
        forget(self.notes, process.pid)
        return code == 0

    def stop(self, last: tuple[str, ...]) -> None:
        """Stop every part; those named last when all others have ended."""
        self.stopping.set()
        with self._starting:
            first = [runner for name, runner in self.runners.items() if name not in last]
            then = [self.runners[name] for name in last if name in self.runners]
        for wave in (first, then):
            for runner in wave:
                runner.stop(at_once=self.hurried.is_set())
            for runner in wave:
                runner.finish()
