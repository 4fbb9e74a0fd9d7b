"""A branch's experiment and runs by plain REST calls: importing MLflow takes a second."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from databricks.sdk.errors import AlreadyExists, NotFound, ResourceAlreadyExists

from branchline.errors import BadInput
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.workspace import Workspace, call
from branchline.runs.tracking import Tracking, shown

__all__ = ["RunState", "WorkspaceTracking"]

API = "/api/2.0/mlflow"
BATCH = 100  # parameters that one request takes


@dataclass(frozen=True)
class RunState:
    """A run's status, by MLflow's names, and its tags."""

    status: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class WorkspaceTracking(Tracking):
    """A workspace's tracking server; does not need MLflow until a run is submitted."""

    workspace: Workspace

    def experiment(self, name: str) -> str:
        with translated(f"experiment {name}"):
            return self._found(name) or self._created(name)

    def start(self, experiment_id: str, name: str, tags: Mapping[str, str],
              parameters: Mapping[str, str]) -> str:
        with translated(f"a run in experiment {experiment_id}"):
            made = self._post("runs/create", experiment_id=experiment_id, run_name=name,
                              start_time=_now(), tags=_pairs(shown(tags)))
            run_id = str(made["run"]["info"]["run_id"])
            given = _pairs(shown(parameters))
            for first in range(0, len(given), BATCH):
                self._post("runs/log-batch", run_id=run_id, params=given[first:first + BATCH])
            return run_id

    def end(self, run_id: str, status: str) -> None:
        with translated(f"run {run_id}"):
            self._post("runs/update", run_id=run_id, status=status, end_time=_now())

    def state(self, run_id: str) -> RunState:
        with translated(f"run {run_id}"):
            run = self._get("runs/get", run_id=run_id).get("run", {})
        if "info" not in run:
            raise BadInput(f"run {run_id}: not found; expected the MLflow id of a run.")
        tags = run.get("data", {}).get("tags", [])
        return RunState(run["info"].get("status", ""),
                        {tag.get("key", ""): tag.get("value", "") for tag in tags})

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        with translated(f"run {run_id}"):
            self._post("runs/log-batch", run_id=run_id, tags=_pairs(tags))

    def _found(self, name: str) -> str | None:
        try:
            found = self._get("experiments/get-by-name", experiment_name=name)["experiment"]
        except NotFound:
            return None
        experiment_id = str(found["experiment_id"])
        if found.get("lifecycle_stage") == "deleted":
            raise BadInput(f"experiment {name}: is deleted, but its name is still taken. Restore "
                           f"it: databricks experiments restore-experiment {experiment_id};"
                           " or delete it for good in the workspace's trash.")
        return experiment_id

    def _created(self, name: str) -> str:
        self.workspace.workspace.mkdirs(name.rpartition("/")[0])
        try:
            return str(self._post("experiments/create", name=name)["experiment_id"])
        except (AlreadyExists, ResourceAlreadyExists):  # made by another run meanwhile
            found = self._found(name)
            if found is None:
                raise
            return found

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        return call(self.workspace, "GET", f"{API}/{path}", query=query)

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        return call(self.workspace, "POST", f"{API}/{path}", body=body)


def _pairs(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in texts.items()]


def _now() -> int:
    return int(time.time() * 1000)
