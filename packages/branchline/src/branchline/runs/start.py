"""Starts a requested run in its branch's experiment, on any platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from branchline.ci.identify import started_by
from branchline.config.targets import Target
from branchline.errors import BadInput, RunFailed
from branchline.runs import summary
from branchline.runs.orphans import own_process
from branchline.runs.request import Request, tags as tags_of
from branchline.runs.stale_branches import seen_tag
from branchline.runs.tracking import Tracking
from branchline.signals import deferred, interruptible
from branchline.wheels.source import source_of

__all__ = ["Launcher", "exit_code_of", "start"]


class Launcher(Protocol):
    """What `start` needs of a platform; `backend` is its name in a run's tags."""

    @property
    def target(self) -> Target: ...

    @property
    def tracking(self) -> Tracking: ...

    @property
    def backend(self) -> str: ...

    def check(self, request: Request) -> None:
        """Refuse what could not be launched, before a run is created.

        Raises:
            BadInput: something that the target names is missing or invalid.
        """

    def launch(self, request: Request, experiment_id: str, run_id: str, tags: Mapping[str, str],
               wait: bool) -> None:
        """Run the request as this MLflow run; follow it to its end if `wait`.

        Raises:
            RunFailed: it ended without success; its run is marked FAILED.
            RunCancelled: somebody cancelled it on the platform.
            KeyboardInterrupt: Ctrl-C or SIGTERM; it was stopped, its run is marked KILLED.
        """


def start(platform: Launcher, asked: Request, environment: Mapping[str, str],
          wait: bool = True) -> str:
    """Start the run in the branch's experiment, and follow it to its end if `wait`; its id.

    Raises:
        BadInput: it could not be launched; no run was created.
        RunFailed: it ended without success; it knows the run's id.
        KeyboardInterrupt: a signal; the run was stopped and is marked KILLED.
    """
    platform.check(asked)
    tags = tags_of(asked, source_of(asked.root), started_by(environment), platform.backend)
    tags |= seen_tag(asked.root, asked.branch, environment) | own_process()
    tags["target"] = platform.target.name
    experiment = asked.branch.experiment(platform.target.experiment_root, asked.project.name)
    experiment_id = platform.tracking.experiment(experiment)
    with _new_run(platform.tracking, asked, experiment_id, tags) as run_id:
        summary.show_start(asked, platform.target.name, experiment, run_id)
        try:
            platform.launch(asked, experiment_id, run_id, tags, wait)
        except RunFailed as problem:
            problem.run_id = run_id
            raise
    return run_id


def exit_code_of(tracking: Tracking, problem: RunFailed) -> int:
    """2 if the run itself says that its input is invalid, else 3."""
    said = tracking.run(problem.run_id).data.tags.get("exit_code") if problem.run_id else None
    return BadInput.exit_code if said == str(BadInput.exit_code) else RunFailed.exit_code


@contextmanager
def _new_run(tracking: Tracking, asked: Request, experiment_id: str,
             tags: Mapping[str, str]) -> Iterator[str]:
    """A new run; a signal in the block, or while the run is made, leaves it KILLED."""
    run_id = None
    with interruptible():
        try:
            with deferred():
                run_id = tracking.start(experiment_id, asked.entry_point, tags, asked.parameters)
            yield run_id
        except KeyboardInterrupt:
            if run_id:
                tracking.end(run_id, "KILLED")
            raise
