"""A step, and the job that runs the requested steps of a pipeline."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.clones import explained
from branchline.lakehouse.sets import show_set
from branchline.reuse.reuse import Reuse

if TYPE_CHECKING:
    from branchline.pipeline import Pipeline

__all__ = ["Job", "Step"]


@dataclass(frozen=True)
class Step:
    """A step: its name, its function, the tables that it reads and writes.

    The function reads, computes, writes, and returns counts (`rows` first); a second call with the
    same input changes nothing. An `on_request` step runs only if a run names it. A `skippable` step
    does nothing but write tables, no other step of a run writes those, and code, settings and the
    tables it reads decide their content: a run that begins with main's tables may skip it.
    """

    name: str
    run: Callable[[Lakehouse, Any], Mapping[str, int]]
    reads: tuple[Table, ...] = ()
    writes: tuple[Table, ...] = ()
    on_request: bool = False
    skippable: bool = False


class Job:
    """Runs a pipeline's steps on one branch's tables, in one MLflow run."""

    def __init__(self, pipeline: Pipeline, settings: Any, lakehouse: Lakehouse) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.lakehouse = lakehouse
        self._reuse = Reuse(lakehouse, settings)
        self._waiting = list(pipeline.asked(settings))
        self._held = ExitStack()
        self._writes = pipeline.writes(settings)
        if self._writes:
            self._held.enter_context(lakehouse.writing())

    def run(self, step: Step) -> Mapping[str, int] | None:
        """Run the step if it was requested, and log its counts and seconds; None if it did not run.

        Raises:
            BadInput: the step is not in the pipeline.
            RunFailed: a file of main's that the branch's tables need is gone.
        """
        import mlflow
        if step not in self.pipeline.every:
            raise BadInput(f"step {step.name} is not in the pipeline's "
                           f"({', '.join(self.pipeline.names)}); add it to the Pipeline.")
        if step not in self._waiting:
            return None
        self._waiting.remove(step)
        print(f"  {step.name:<10}", end="", flush=True)
        mlflow.set_tag("step", step.name)
        decision = self._reuse.decide(step) if step in self.pipeline.steps else None
        if decision is None:
            return self._run(step)
        mlflow.set_tag(f"from_main.{step.name}", str(decision))
        if decision.skips:
            print(f" {decision}", flush=True)
            return None
        for table in step.writes if decision.rebuilds else ():
            self.lakehouse.drop(table)
        return self._run(step, str(decision))

    def _run(self, step: Step, *remarks: str) -> Mapping[str, int]:
        import mlflow
        began = time.perf_counter()
        inputs = self._reuse.start(step)
        with _warnings_of(step) as notes:
            try:
                counts = step.run(self.lakehouse, self.settings)
            except Exception as failure:
                if gone := explained(self.lakehouse, failure):
                    raise gone from failure
                raise
        self._reuse.finish(step, inputs)
        seconds = time.perf_counter() - began
        mlflow.log_metrics({f"{step.name}/{key}": value for key, value in counts.items()}
                           | {f"{step.name}/seconds": seconds})
        print(_line(counts, seconds), *remarks, *notes, sep="\n" + " " * 12, flush=True)
        return counts

    def finish(self) -> None:
        """Run the built-in steps, let readers see production's table set, end the MLflow run and
        release the tables.

        Raises:
            BadInput: a requested step was never passed to `run`, or a table is in a view's place.
        """
        import mlflow
        for step in self.pipeline.built_in:
            self.run(step)
        if self._waiting:
            name = self._waiting[0].name
            raise BadInput(f"step {name} was requested, but has no cell in main.py; add "
                           f"job.run(...) for it, before job.finish().")
        if self._writes and self.lakehouse.table_set:
            show_set(self.lakehouse)
        mlflow.end_run()
        self._held.close()


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def _warnings_of(step: Step) -> Iterator[list[str]]:
    """Warnings that the step's package logs meanwhile, to be printed below the step's line."""
    logger, kept = logging.getLogger(step.run.__module__.partition(".")[0]), _Kept()
    logger.addHandler(kept)
    try:
        yield kept.texts
    finally:
        logger.removeHandler(kept)


def _line(counts: Mapping[str, int], seconds: float) -> str:
    others = ", ".join(f"{name} {value:,}" for name, value in counts.items() if name != "rows")
    return f"{counts.get('rows', 0):>11,} rows {seconds:>6.1f} s   {others}"
