"""Starts an MLflow project on this machine, in the branch's experiment, and follows it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from branchline.errors import RunFailed
from branchline.platforms.local.relay import relayed
from branchline.runs.request import Request
from branchline.runs.tracking import Tracking
from branchline.signals import interruptible
from branchline.spark.engine_use import used
from branchline.wheels.environment import environment_with

__all__ = ["launch"]

GRACE_SECONDS = 10


def launch(request: Request, tracking: Tracking, experiment_id: str, run_id: str) -> None:
    """Run the project through mlflow.projects and wait for it.

    Raises:
        RunFailed: the project ended without success; its run is marked FAILED.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the project was stopped, its run is marked KILLED.
    """
    import mlflow
    from mlflow.exceptions import ExecutionException
    tracking.client()
    with tracking.never_left_running(run_id), ExitStack() as stack:
        stack.enter_context(relayed())
        stack.enter_context(_stoppable())
        folder = request.project.folder
        programs = Path(sys.executable).parent
        if request.wheels:
            programs = stack.enter_context(environment_with(request.wheels, request.root))
            folder = stack.enter_context(_copy_of(folder))
            engine = {}
        else:
            engine = stack.enter_context(used(request.root, os.environ, print))
        stack.enter_context(_environment(programs, engine, isolated=bool(request.wheels)))
        try:
            # Relative: MLflow takes any # in the path, even in a checkout's, for a subfolder.
            mlflow.projects.run(  # type: ignore[no-untyped-call]
                os.path.relpath(folder), request.entry_point, parameters=dict(request.parameters),
                experiment_id=experiment_id, backend="local", env_manager="local", run_id=run_id)
        except ExecutionException:
            error = tracking.run(run_id).data.tags.get("error", "the project's process ended early")
            raise RunFailed(f"{request.project.name}: the run failed: {error}") from None


@contextmanager
def _stoppable() -> Iterator[None]:
    """An interrupt ends all processes below this one."""
    family: list[psutil.Process] = []

    def remember() -> None:
        # Now, while the tree is complete: a process that outlives its parent cannot be found later.
        family.extend(psutil.Process().children(recursive=True))

    try:
        with interruptible(remember):
            yield
    finally:
        _end(family)


def _end(family: list[psutil.Process]) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(family, timeout=GRACE_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


@contextmanager
def _copy_of(folder: Path) -> Iterator[Path]:
    """A copy of the project alone, so that it can find nothing else of the source tree."""
    with tempfile.TemporaryDirectory(prefix="branchline-project-") as scratch:
        yield Path(shutil.copytree(folder, Path(scratch, folder.name)))


@contextmanager
def _environment(programs: Path, engine: Mapping[str, str], isolated: bool) -> Iterator[None]:
    """The variables that the project's process inherits; `python` is taken from `programs`."""
    kept = dict(os.environ)
    os.environ.update(engine)
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    # OpenMP's threads (scikit-learn's trees) otherwise spin while they wait: on a busy machine a
    # fit of seconds then takes minutes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("PYTHONUNBUFFERED", "1")  # what is printed goes through a pipe
    if isolated:
        for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
            os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
