"""Figures: percentiles, a rank test, processor time and memory of processes. Knows nothing of Cognate."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def rank_test(left: Sequence[float], right: Sequence[float]) -> tuple[float, float]:
    """Return how often ``left`` exceeds ``right`` (0.5: never told apart), and how likely chance gives as much.

    Mann and Whitney's test, by its normal approximation.
    """
    ordered = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    ranks = sum(rank for rank, (_, side) in enumerate(ordered, 1) if side == 0)
    n, m = len(left), len(right)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return u / (n * m), math.erfc(abs(z) / math.sqrt(2))


def processes(leader: int) -> list[int]:
    """Return a process and all its descendants."""
    found, fresh = [leader], [leader]
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(folder.name))
    while fresh:
        fresh = [child for parent in fresh for child in children.get(parent, ())]
        found += fresh
    return found


def processor_seconds(pids: Sequence[int]) -> float:
    """Return the processor time that processes have used."""
    total = 0.0
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(parts[11]) + int(parts[12])) / TICKS
    return total


def memory(pids: Sequence[int]) -> float:
    """Return the largest resident set, in MiB."""
    sizes = []
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        sizes += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")]
    return max(sizes, default=math.nan)


@dataclass
class Bare:
    """What a piece of arithmetic costs by itself."""

    name: str
    milliseconds: float
    per_second: float


def together(rounds: Sequence[Bare]) -> Bare:
    """Return several rounds of the same arithmetic as one, each with the same weight."""
    milliseconds = sum(each.milliseconds for each in rounds) / len(rounds)
    return Bare(rounds[0].name, milliseconds, 1000 / milliseconds)


def bare(name: str, work: Callable[[], object], seconds: float = 1.0) -> Bare:
    """Repeat something in this process, and count by processor time."""
    work()
    until, began, count = perf_counter() + seconds, process_time(), 0
    while perf_counter() < until:
        work()
        count += 1
    spent = process_time() - began
    return Bare(name, 1000 * spent / count, count / spent)


@dataclass
class Rounds:
    """The rounds of one measurement, taken together."""

    times: list[float] = field(default_factory=list)
    statuses: set[str] = field(default_factory=set)
    failures: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    """Processor time of the web process,"""
    database: float = 0.0
    """and of PostgreSQL."""

    def add(self, found: dict[str, Any], spent: float, database: float) -> None:
        """Add what the load found in one round."""
        self.times += found["times"]
        self.statuses |= set(found["statuses"])
        self.failures += found["failures"]
        self.seconds += found["seconds"]
        self.spent += spent
        self.database += database

    @property
    def per_core(self) -> float:
        """Return how many a core of its own would do in a second."""
        return len(self.times) / self.spent if self.spent else 0.0

    def job(self, name: str) -> Job:
        """Return the figures."""
        return Job(
            name,
            len(self.times),
            self.seconds,
            len(self.times) / self.seconds,
            self.per_core,
            1000 * percentile(self.times, 0.5),
            1000 * percentile(self.times, 0.99),
            self.failures,
            database=1e6 * self.database / max(1, len(self.times) + self.failures),
            notes={"statuses": sorted(self.statuses)} if self.statuses - {"200"} else {},
        )


@dataclass
class Job:
    """One job as it was measured."""

    name: str
    requests: int
    seconds: float
    per_second: float
    """By the wall clock: whatever else the machine did counts too."""
    per_core: float
    """By processor time of the web process: what one core of its own would do."""
    p50: float
    p99: float
    """Milliseconds, as the client saw them."""
    failures: int
    database: float = 0.0
    """Microseconds of PostgreSQL's processor time a request, its background processes' included."""
    queries: int | None = None
    arithmetic: float | None = None
    """Share of the processor time that hashing and signing take, by their bare costs."""
    above: float | None = None
    """Microseconds of the web process's processor time a request beside those bare costs."""
    notes: dict[str, Any] = field(default_factory=dict)


def table(jobs: Sequence[Job]) -> str:
    """Return the jobs as a table."""
    head = (
        f"{'job':<44}{'req/s':>8}{'per core':>10}{'p50 ms':>9}{'p99 ms':>9}{'queries':>9}{'crypto':>8}"
        f"{'above us':>10}{'postgres us':>13}{'failed':>8}"
    )
    rows = [
        f"{job.name:<44}{job.per_second:>8.0f}{job.per_core:>10.0f}{job.p50:>9.1f}{job.p99:>9.1f}"
        f"{'' if job.queries is None else job.queries:>9}"
        f"{'' if job.arithmetic is None else f'{job.arithmetic:.0%}':>8}"
        f"{'' if job.above is None else f'{job.above:.0f}':>10}{job.database:>13.0f}{job.failures:>8}"
        for job in jobs
    ]
    return "\n".join([head, "-" * len(head), *rows])


def plain(value: Any) -> Any:  # noqa: ANN401 - any dataclass
    """Return a dataclass as JSON can write it."""
    return asdict(value)
