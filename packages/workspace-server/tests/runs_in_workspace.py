"""One workspace for the tests of it, and scripts that run in it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.jobs import Run, RunLifeCycleState
from databricks.sdk.service.workspace import ImportFormat

from workspace_server import Workspace

HOME = "/Users/dev@example.com"
VOLUME = "/Volumes/dev/default/tests"
PRINTS = "/Shared/prints.py"
PRINTING = b"import sys\nprint(*sys.argv[1:])\nsys.exit('fail' in sys.argv)\n"
ENDED = (RunLifeCycleState.TERMINATED, RunLifeCycleState.INTERNAL_ERROR, RunLifeCycleState.SKIPPED)
CLUSTER = {"spark_version": "14.3.x-scala2.12", "node_type_id": "Standard_DS3_v2",
           "num_workers": 1}


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.start(tmp_path_factory.mktemp("workspace"), phase_seconds=0.05) as started:
        started.client().volumes.create("dev", "default", "tests", VolumeType.MANAGED)
        yield started


@pytest.fixture
def workspace(serving: Workspace) -> Iterator[Workspace]:
    yield serving
    serving.clear_faults()


@pytest.fixture(scope="session")
def client(serving: Workspace) -> WorkspaceClient:
    return serving.client()


@dataclass
class Jobs:
    """Submits scripts, and looks at what becomes of them."""

    client: WorkspaceClient

    def submit(self, script: str, *parameters: str, **changes: Any) -> int:
        """Run the script's text; `changes` go into the task, those with `run_` into the request."""
        path = f"{HOME}/script-{time.monotonic_ns()}.py"
        self.client.workspace.upload(path, io.BytesIO(script.encode()), format=ImportFormat.RAW)
        task: dict[str, Any] = {
            "task_key": "main", "new_cluster": CLUSTER,
            "spark_python_task": {"python_file": path, "parameters": list(parameters)}}
        outer = {key.removeprefix("run_"): changes.pop(key) for key in list(changes)
                 if key.startswith("run_")}
        body = {"run_name": "test", "tasks": [without_none({**task, **changes})], **outer}
        return int(self.post(body)["run_id"])

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.api_client.do("POST", "/api/2.2/jobs/runs/submit", body=body)
        assert isinstance(answer, dict)
        return answer

    def reached(self, run_id: int, *states: RunLifeCycleState) -> Run:
        """The run, once it is in one of the states, or has ended."""
        for _ in range(1200):
            run = self.client.jobs.get_run(run_id)
            if run.state and run.state.life_cycle_state in (*states, *ENDED):
                return run
            time.sleep(0.05)
        raise AssertionError(f"run {run_id} was still {run.state} after a minute")

    def ended(self, run_id: int) -> tuple[Run, str]:
        """The run at its end, and what it printed."""
        run = self.reached(run_id)
        assert run.tasks and run.tasks[0].run_id
        return run, self.client.jobs.get_run_output(run.tasks[0].run_id).logs or ""

    def said(self, script: str, *parameters: str, **changes: Any) -> str:
        """What a script prints that is expected to succeed."""
        run, log = self.ended(self.submit(script, *parameters, **changes))
        assert run.state and run.state.result_state
        assert run.state.result_state.value == "SUCCESS", (run.state, log)
        return log


def result(run: Run) -> tuple[str, ...]:
    """Result, code, and the two life cycles: the run's and its task's."""
    assert run.state and run.state.result_state and run.state.life_cycle_state
    assert run.tasks and run.tasks[0].state and run.tasks[0].state.life_cycle_state
    assert run.status and run.status.termination_details and run.status.termination_details.code
    return (run.state.result_state.value, run.status.termination_details.code.value,
            run.state.life_cycle_state.value, run.tasks[0].state.life_cycle_state.value)


def without_none(task: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in task.items() if value is not None}


@pytest.fixture
def jobs(client: WorkspaceClient, workspace: Workspace) -> Jobs:
    return Jobs(client)


@dataclass
class SavedJob:
    """Makes jobs whose tasks print their parameters, and runs them."""

    client: WorkspaceClient

    def create(self, *tasks: dict[str, Any], **settings: Any) -> int:
        """A job of these tasks; the number of the job."""
        body = {"name": f"job-{time.monotonic_ns()}", "tasks": list(tasks), **settings}
        return int(self.post("create", body)["job_id"])

    def post(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.api_client.do("POST", f"/api/2.2/jobs/{call}", body=body)
        assert isinstance(answer, dict)
        return answer

    def now(self, job: int, **body: Any) -> int:
        """Start a run of the job; the number of the run."""
        return int(self.post("run-now", {"job_id": job, **body})["run_id"])

    def ended(self, run_id: int) -> Run:
        return Jobs(self.client).reached(run_id)

    def printed(self, run: Run) -> dict[str, str]:
        """What each task printed in its last attempt, where it ran."""
        return {task.task_key or "": (self.client.jobs.get_run_output(task.run_id or 0).logs or "")
                for task in run.tasks or []}


def prints(key: str, *parameters: str, **task: Any) -> dict[str, Any]:
    """A task that prints its parameters, and fails if one of them is `fail`."""
    compute = {} if {"new_cluster", "job_cluster_key", "environment_key"} & task.keys() else {
        "existing_cluster_id": "0101-000000-interact"}
    return {"task_key": key, **compute, **task, "spark_python_task": {
        "python_file": PRINTS, "parameters": list(parameters)}}


def after(*keys: str) -> list[dict[str, str]]:
    return [{"task_key": key} for key in keys]


@pytest.fixture
def saved(client: WorkspaceClient, workspace: Workspace) -> Iterator[SavedJob]:
    """Jobs of one test; their runs end with it."""
    client.workspace.upload(PRINTS, io.BytesIO(PRINTING), format=ImportFormat.RAW, overwrite=True)
    yield SavedJob(client)
    for job in client.jobs.list():
        client.jobs.cancel_all_runs(job_id=job.job_id)
        client.jobs.delete(job.job_id or 0)
