"""A branch's experiment and its runs by the SDK alone: MLflow takes a second to import."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import AlreadyExists, NotFound, ResourceAlreadyExists
from databricks.sdk.service.ml import Param, RunTag, UpdateRunStatus

from branchline.errors import BadInput
from branchline.platforms.databricks.client import translated
from branchline.runs.tracking import Tracking, shown

__all__ = ["RunState", "WorkspaceTracking"]

BATCH = 100  # parameters that one request takes


@dataclass(frozen=True)
class RunState:
    """A run's status, by MLflow's names, and its tags."""

    status: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class WorkspaceTracking(Tracking):
    """The tracking of a workspace; until a run is submitted, it needs no MLflow."""

    workspace: WorkspaceClient

    def experiment(self, name: str) -> str:
        with translated(f"experiment {name}"):
            return self._found(name) or self._created(name)

    def start(self, experiment_id: str, name: str, tags: Mapping[str, str],
              parameters: Mapping[str, str]) -> str:
        api = self.workspace.experiments
        with translated(f"a run in experiment {experiment_id}"):
            made = api.create_run(experiment_id=experiment_id, run_name=name, start_time=_now(),
                                  tags=[RunTag(*pair) for pair in shown(tags).items()])
            assert made.run and made.run.info and made.run.info.run_id
            run_id = made.run.info.run_id
            given = [Param(*pair) for pair in shown(parameters).items()]
            for first in range(0, len(given), BATCH):
                api.log_batch(run_id=run_id, params=given[first:first + BATCH])
            return run_id

    def end(self, run_id: str, status: str) -> None:
        with translated(f"run {run_id}"):
            self.workspace.experiments.update_run(
                run_id=run_id, status=UpdateRunStatus(status), end_time=_now())

    def state(self, run_id: str) -> RunState:
        with translated(f"run {run_id}"):
            run = self.workspace.experiments.get_run(run_id).run
        if not run or not run.info:
            raise BadInput(f"run {run_id}: not found; expected the MLflow id of a run.")
        tags = (run.data.tags or []) if run.data else []
        return RunState(run.info.status.value if run.info.status else "",
                        {tag.key or "": tag.value or "" for tag in tags})

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        with translated(f"run {run_id}"):
            self.workspace.experiments.log_batch(
                run_id=run_id, tags=[RunTag(*pair) for pair in tags.items()])

    def _found(self, name: str) -> str | None:
        try:
            experiment = self.workspace.experiments.get_by_name(name).experiment
        except NotFound:
            return None
        if experiment and experiment.lifecycle_stage == "deleted":
            raise BadInput(f"experiment {name}: is deleted, and keeps its name. Restore it: "
                           f"databricks experiments restore-experiment {experiment.experiment_id};"
                           " or delete it for good in the workspace's trash.")
        return experiment.experiment_id if experiment else None

    def _created(self, name: str) -> str:
        self.workspace.workspace.mkdirs(name.rpartition("/")[0])
        try:
            return self.workspace.experiments.create_experiment(name).experiment_id or ""
        except (AlreadyExists, ResourceAlreadyExists):  # made by another run meanwhile
            found = self._found(name)
            if found is None:
                raise
            return found


def _now() -> int:
    return int(time.time() * 1000)
