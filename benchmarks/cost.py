"""What work costs in this process and all that it started: clock, CPU and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

SAMPLED = 0.1  # seconds


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, CPU seconds of all processes, and their largest memory in bytes.

    `python` is the largest memory of those that are not the JVM.
    """

    clock: float
    cpu: float
    memory: int
    python: int


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
            python = sum(size for size, name in used if name.startswith("python"))
            self.python = max(self.python, python)
            self.peak = max(self.peak, python + sum(size for size, name in used if name == "java"))

    def _alive(self) -> list[psutil.Process]:
        this = psutil.Process()
        return [this, *this.children(recursive=True)]


def _seconds(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.Error:  # it has ended
        return 0.0


def _memory(process: psutil.Process) -> tuple[int, str]:
    """Its memory in bytes, and its name.

    A JVM's child has neither name before it becomes another program: its memory is the JVM's.
    """
    try:
        return process.memory_info().rss, process.name()
    except psutil.Error:
        return 0, ""
