"""Where a project's main.py begins: settings, session, tables, and the job for its steps."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput, BranchlineError, RunFailed
from branchline.lakehouse import Lakehouse
from branchline.lakehouse.pinned import PinnedLakehouse
from branchline.lakehouse.sets import begin_set
from branchline.reuse.begin import begin
from branchline.runs import tracking
from branchline.spark.session import session
from branchline.steps import Job
from branchline.text import collapsed, protect_output, without_credentials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from branchline.pipeline import Pipeline

__all__ = ["start"]


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
