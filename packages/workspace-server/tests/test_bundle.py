"""`databricks bundle deploy`, then `bundle run`: the CLI's calls, one after the other, replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import requests

from runs_in_workspace import CLUSTER, ENDED
from workspace_server import Workspace

ROOT = "/Workspace/Users/dev@example.com/.bundle/fraud/dev"
LOCK, STATE = f"{ROOT}/state/deploy.lock", f"{ROOT}/state/resources.json"
FILES = {f"{ROOT}/files/src/main.py": "import sys\nprint(sys.argv[1:])\n",
         f"{ROOT}/files/src/look.py": "# Databricks notebook source\nprint(1)\n"}
USER = {"user_name": "dev@example.com", "permission_level": "IS_OWNER"}
JOB: dict[str, Any] = {
    "name": "[dev dev] fraud", "format": "MULTI_TASK", "edit_mode": "UI_LOCKED",
    "max_concurrent_runs": 4, "queue": {"enabled": True}, "tags": {"dev": "dev"},
    "deployment": {"kind": "BUNDLE", "metadata_file_path": f"{ROOT}/state/metadata.json"},
    "trigger": {"pause_status": "PAUSED", "periodic": {"interval": 1, "unit": "DAYS"}},
    "email_notifications": {"on_failure": ["dev@example.com"]},
    "parameters": [{"name": "catalog", "default": "dev"}],
    "job_clusters": [{"job_cluster_key": "main", "new_cluster": {
        **CLUSTER, "data_security_mode": "SINGLE_USER",
        "azure_attributes": {"availability": "ON_DEMAND_AZURE"}}}],
    "tasks": [{"task_key": "score", "job_cluster_key": "main", "spark_python_task": {
        "python_file": f"{ROOT}/files/src/main.py",
        "parameters": ["{{job.parameters.catalog}}", "{{job.run_id}}"]}}]}


@dataclass(frozen=True)
class Cli:
    """Calls as the CLI makes them; each answer is a status and a body."""

    workspace: Workspace

    def call(self, method: str, address: str, body: object = None, **query: str
             ) -> tuple[int, Any]:
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer = requests.request(
            method, self.workspace.host + address, params=query, data=sent, timeout=60,
            headers={"Authorization": f"Bearer {self.workspace.token()}"})
        is_json = answer.headers.get("content-type") == "application/json"
        return answer.status_code, answer.json() if is_json else answer.content

    def write(self, path: str, content: str, overwrite: str = "true") -> int:
        return self.call("POST", "/api/2.0/workspace-files/import-file/"
                         + quote(path[1:], safe=""), content.encode(), overwrite=overwrite)[0]

    def status(self, path: str) -> tuple[int, Any]:
        return self.call("GET", "/api/2.0/workspace/get-status", path=path,
                         return_export_info="true")


@dataclass(frozen=True)
class Deployed:
    """What a deployment made, and the run that was started."""

    job: int
    run: int


@pytest.fixture
def cli(workspace: Workspace) -> Cli:
    return Cli(workspace)


@pytest.fixture
def deployed(cli: Cli) -> Iterator[Deployed]:
    """The calls of `bundle deploy` on an empty folder, and of `bundle run`."""
    assert cli.call("GET", "/.well-known/databricks-config")[0] == 200
    assert cli.call("GET", "/api/2.0/preview/scim/v2/Me")[1]["userName"] == "dev@example.com"
    assert cli.status(STATE)[1]["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    # The lock is written where no folder is yet: 404, mkdirs, again.
    assert cli.write(LOCK, "{}", overwrite="false") == 404
    assert cli.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{ROOT}/state"})[0] == 200
    assert cli.write(LOCK, '{"ID": "1"}', overwrite="false") == 200
    assert cli.call("GET", "/api/2.0/workspace/export", path=LOCK, direct_download="true"
                    ) == (200, b'{"ID": "1"}')
    for path, content in FILES.items():
        cli.call("POST", "/api/2.0/workspace/mkdirs", {"path": path.rpartition("/")[0]})
        assert cli.write(path, content) == 200
    made, answer = cli.call("POST", "/api/2.2/jobs/create", JOB)
    assert made == 200, answer
    job = int(answer["job_id"])
    assert cli.call("PUT", f"/api/2.0/permissions/jobs/{job}",
                    {"access_control_list": [USER]})[0] == 200
    assert cli.write(STATE, json.dumps({"jobs": [job]})) == 200
    assert cli.call("POST", "/api/2.0/workspace/delete", {"path": LOCK})[0] == 200
    yield Deployed(job, cli.call("POST", "/api/2.2/jobs/run-now", {
        "job_id": job, "job_parameters": {"catalog": "mine"}})[1]["run_id"])
    cli.call("POST", "/api/2.2/jobs/runs/cancel-all", {"job_id": job})
    cli.call("POST", "/api/2.2/jobs/delete", {"job_id": job})
    cli.call("POST", "/api/2.0/workspace/delete", {"path": ROOT, "recursive": True})


def ended(cli: Cli, run: int) -> dict[str, Any]:
    client = cli.workspace.client()
    client.jobs.wait_get_run_job_terminated_or_skipped(run)
    found: dict[str, Any] = cli.call("GET", "/api/2.2/jobs/runs/get", run_id=str(run))[1]
    assert found["state"]["life_cycle_state"] in [state.value for state in ENDED]
    return found


def test_a_bundle_runs_with_its_clusters_and_the_parameters_of_the_command(
        cli: Cli, deployed: Deployed) -> None:
    run = ended(cli, deployed.run)
    assert run["state"]["result_state"] == "SUCCESS", run
    assert (run["job_id"], run["run_type"]) == (deployed.job, "JOB_RUN")
    output = cli.call("GET", "/api/2.2/jobs/runs/get-output",
                      run_id=str(run["tasks"][0]["run_id"]))[1]
    assert output["logs"] == f"['mine', '{deployed.run}']\n"


def test_a_second_deployment_finds_everything_from_the_first(cli: Cli, deployed: Deployed) -> None:
    assert cli.call("GET", "/api/2.0/workspace/export", path=STATE, direct_download="true"
                    )[1] == json.dumps({"jobs": [deployed.job]}).encode()
    assert cli.status(f"{ROOT}/files/src/look")[1]["repos_export_format"] == "SOURCE"
    assert cli.status(f"{ROOT}/files/src/look.py")[0] == 404
    for version in ("2.0", "2.1", "2.2"):
        found = cli.call("GET", f"/api/{version}/jobs/get", job_id=str(deployed.job))[1]
        assert found["settings"].items() >= JOB.items()
    assert cli.call("POST", "/api/2.2/jobs/reset", {
        "job_id": deployed.job, "new_settings": {**JOB, "name": "renamed"}}) == (200, {})
    assert cli.call("GET", "/api/2.2/jobs/get", job_id=str(deployed.job))[1]["settings"][
        "name"] == "renamed"


def test_restart_cancels_the_runs_of_its_own_job_only(cli: Cli, deployed: Deployed) -> None:
    """`bundle run --restart` lists active runs by job, and cancels each."""
    other = cli.call("POST", "/api/2.2/jobs/create", JOB)[1]["job_id"]
    cli.workspace.fault("never_starts")
    theirs = cli.call("POST", "/api/2.2/jobs/run-now", {"job_id": other})[1]["run_id"]
    listed = cli.call("GET", "/api/2.2/jobs/runs/list", job_id=str(deployed.job),
                      active_only="true", expand_tasks="false")[1]["runs"]
    assert theirs not in [run["run_id"] for run in listed]
    cli.call("POST", "/api/2.2/jobs/runs/cancel", {"run_id": theirs})
    assert ended(cli, theirs)["state"]["result_state"] == "CANCELED"
    cli.call("POST", "/api/2.2/jobs/delete", {"job_id": other})
