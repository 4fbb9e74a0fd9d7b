"""A step, and the job that runs the requested steps of a pipeline."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput, BranchlineError, RunFailed
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.clones import explained
from branchline.lakehouse.pinned import PinnedLakehouse
from branchline.lakehouse.sets import begin_set, show_set
from branchline.reuse.begin import begin
from branchline.reuse.reuse import Reuse
from branchline.runs import tracking
from branchline.spark.session import session
from branchline.text import collapsed, protect_output, without_credentials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from branchline.pipeline import Pipeline

__all__ = ["Job", "Step", "start"]


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


def start(pipeline: Pipeline, arguments: Sequence[str] | None = None) -> Job:
    """The job for the command line, or for `arguments`.

    Raises:
        BranchlineError: invalid settings, a table that no step has written yet, or something
            missing on this machine.
    """
    import mlflow
    tracking.quiet()
    protect_output()
    sys.excepthook = _fail
    try:
        settings = pipeline.read(sys.argv[1:] if arguments is None else arguments)
    except BadInput:
        if "MLFLOW_RUN_ID" in os.environ:  # the run's tag and log say why
            mlflow.start_run()
        raise
    if mlflow.active_run() is None:
        mlflow.start_run()
    began = time.perf_counter()
    found = session(os.environ, Path(settings.lakehouse).parent / "spark.log")
    print(f"  {'spark':<10}{'':>16} {time.perf_counter() - began:>6.1f} s   "
          f"version {found.version}", flush=True)
    lakehouse = _lakehouse(found, settings)
    if settings.base:
        print(f"  {'clone':<10} {begin(pipeline, settings, lakehouse)}", flush=True)
    if settings.table_set and pipeline.writes(settings):
        _begin_set(pipeline, lakehouse)
    pipeline.check_tables(lakehouse, settings)
    return Job(pipeline, settings, lakehouse)


def _lakehouse(found: SparkSession, settings: Any) -> Lakehouse:
    where = (found, settings.lakehouse, settings.tables_schema, settings.files)
    if settings.pins:
        return PinnedLakehouse(*where, settings.pins)
    return Lakehouse(*where, settings.table_set)


def _begin_set(pipeline: Pipeline, lakehouse: Lakehouse) -> None:
    began = time.perf_counter()
    with lakehouse.writing():
        copied = begin_set(lakehouse, pipeline.tables)
    if copied:
        print(f"  {'table set':<10}{'':>16} {time.perf_counter() - began:>6.1f} s   "
              f"{lakehouse.table_set} begins with a copy of {', '.join(copied)}", flush=True)


def _fail(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report the error in one line, here and in the run's tag; log the traceback as an artifact."""
    import mlflow
    interrupted = issubclass(kind, KeyboardInterrupt)
    text = str(error) if isinstance(error, BranchlineError) else (
        f"{kind.__name__}: {collapsed(error)[:500]}")
    text = without_credentials(text)
    print(f"\n{'interrupted' if interrupted else text}", file=sys.stderr, flush=True)
    if mlflow.active_run():
        code = error.exit_code if isinstance(error, BranchlineError) else RunFailed.exit_code
        mlflow.set_tags({"error": text, "exit_code": str(code)})
        lines = without_credentials("".join(traceback.format_exception(kind, error, trace)))
        mlflow.log_text(lines, "traceback.txt")
        mlflow.end_run("KILLED" if interrupted else "FAILED")
