"""A job: the run's settings, tables and MLflow run, and the steps it was asked for, one by one."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from branchline.errors import BranchlineError
from branchline.lakehouse import Lakehouse
from branchline.runs import tracking
from branchline.spark.session import session

__all__ = ["Job", "start"]


class _Notes(logging.Handler):
    """Keeps what a step has to say until its line is printed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())

    def taken(self) -> list[str]:
        texts, self._texts = self._texts, []
        return texts


class Job:
    """Runs steps on one branch's tables, in one MLflow run."""

    def __init__(self, lakehouse: Lakehouse, settings: Any, notes: _Notes) -> None:
        self.lakehouse = lakehouse
        self.settings = settings
        self._notes = notes
        self._held = ExitStack()
        self._held.enter_context(lakehouse.writing())

    def run(self, step: ModuleType) -> Mapping[str, int] | None:
        """Run a step's `run(lakehouse, settings)` if it was asked for; log counts and seconds."""
        import mlflow
        name = step.__name__.rpartition(".")[2]
        if name not in self.settings.steps:
            return None
        print(f"  {name:<10}", end="", flush=True)
        mlflow.set_tag("step", name)
        began = time.perf_counter()
        counts: dict[str, int] = step.run(self.lakehouse, self.settings)
        seconds = time.perf_counter() - began
        mlflow.log_metrics({f"{name}/{key}": value for key, value in counts.items()}
                           | {f"{name}/seconds": seconds})
        print(_line(counts, seconds), *self._notes.taken(), sep="\n" + " " * 12, flush=True)
        return counts

    def finish(self) -> None:
        """End the MLflow run and let the tables go."""
        import mlflow
        mlflow.end_run()
        self._held.close()


def _line(counts: Mapping[str, int], seconds: float) -> str:
    others = ", ".join(f"{name} {value:,}" for name, value in counts.items() if name != "rows")
    return f"{counts.get('rows', 0):>11,} rows {seconds:>6.1f} s   {others}"


def start(read: Callable[[Sequence[str]], Any], arguments: Sequence[str] | None = None) -> Job:
    """The job that the command line, or `arguments`, asks for.

    Raises:
        BranchlineError: settings that cannot be used, or something this machine lacks.
    """
    import mlflow
    tracking.quiet()
    sys.excepthook = _fail
    notes = _Notes()
    logging.getLogger().addHandler(notes)
    settings = read(sys.argv[1:] if arguments is None else arguments)
    if mlflow.active_run() is None:
        mlflow.start_run()
    began = time.perf_counter()
    found = session(os.environ, Path(settings.lakehouse).parent / "spark.log")
    print(f"  {'spark':<10}{'':>16} {time.perf_counter() - began:>6.1f} s   "
          f"version {found.version}", flush=True)
    lakehouse = Lakehouse(found, settings.lakehouse, settings.tables_schema, settings.files)
    return Job(lakehouse, settings, notes)


def _fail(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one line what went wrong, here and in the run's tag; the traceback is an artifact."""
    import mlflow
    interrupted = issubclass(kind, KeyboardInterrupt)
    text = str(error) if isinstance(error, BranchlineError) else (
        f"{kind.__name__}: {' '.join(str(error).split())[:500]}")
    print(f"\n{'interrupted' if interrupted else text}", file=sys.stderr, flush=True)
    if mlflow.active_run():
        mlflow.set_tag("error", text)
        mlflow.log_text("".join(traceback.format_exception(kind, error, trace)), "traceback.txt")
        mlflow.end_run("KILLED" if interrupted else "FAILED")
