"""Ingest and prepare against Spark's own copy of the file to Delta, in one session, in turn."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from branchline import Lakehouse
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest, prepare

ROUNDS = 3  # the first while the JVM still compiles
SAMPLED = 0.1


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, CPU seconds of all processes, and their largest memory in bytes.

    `python` is the largest memory of those that are not the JVM.
    """

    clock: float
    cpu: float
    memory: int
    python: int


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Print what each step costs in each round, and ratios to the copy's cheaper neighbour."""
    scratch = Path(lakehouse.root).parent / "data_in"
    table = Table("round", "step", "clock s", "CPU s", "memory GB", "clock ratio", "CPU ratio",
                  box=None)
    for number in range(1, ROUNDS + 1):
        copies = [measured(lambda: copy(lakehouse, settings, scratch))]
        steps = once(Lakehouse(lakehouse.spark, str(scratch), "bench"), settings, scratch)
        copies.append(measured(lambda: copy(lakehouse, settings, scratch)))
        clock, cpu = min(each.clock for each in copies), min(each.cpu for each in copies)
        for name, cost in {"copy": copies[0], "copy again": copies[1], **steps}.items():
            table.add_row(str(number), name, f"{cost.clock:.1f}", f"{cost.cpu:.1f}",
                          f"{cost.memory / 1e9:.1f}", f"{cost.clock / clock:.2f}",
                          f"{cost.cpu / cpu:.2f}")
    Console(width=120, highlight=False).print(table)


def once(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> dict[str, Cost]:
    """Both steps from nothing, and again with nothing new."""
    shutil.rmtree(scratch, ignore_errors=True)
    return {"ingest": measured(lambda: ingest.run(lakehouse, settings)),
            "prepare": measured(lambda: prepare.run(lakehouse, settings)),
            "ingest, nothing new": measured(lambda: ingest.run(lakehouse, settings)),
            "prepare, nothing new": measured(lambda: prepare.run(lakehouse, settings))}


def copy(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> None:
    target = scratch / "copy"
    shutil.rmtree(target, ignore_errors=True)
    rows = lakehouse.spark.read.option("recursiveFileLookup", "true").parquet(settings.data)
    rows.write.format("delta").save(str(target))


def measured(work: Callable[[], object]) -> Cost:
    """What the work costs in this process and all that it started, the JVM and its workers too."""
    family = Family()
    began, before = time.perf_counter(), family.cpu()
    with family:
        work()
    return Cost(time.perf_counter() - began, family.cpu() - before, family.peak, family.python)


class Family:
    """This process and its descendants; a worker that has ended counts with its parent."""

    peak = python = 0

    def cpu(self) -> float:
        return sum(_seconds(process) for process in self._alive())

    def __enter__(self) -> None:
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLED):
            used = [_memory(process) for process in self._alive()]
            self.peak = max(self.peak, sum(size for size, _ in used))
            self.python = max(self.python, sum(size for size, is_java in used if not is_java))

    def _alive(self) -> list[psutil.Process]:
        this = psutil.Process()
        return [this, *this.children(recursive=True)]


def _seconds(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.Error:  # it has ended
        return 0.0


def _memory(process: psutil.Process) -> tuple[int, bool]:
    """Its memory in bytes, and whether it is a JVM."""
    try:
        return process.memory_info().rss, process.name() == "java"
    except psutil.Error:
        return 0, False
