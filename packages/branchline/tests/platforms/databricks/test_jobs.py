"""Scheduled jobs in a workspace: what they are made of, and how they are found, changed and run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.jobs import SparkPythonTask, Task

from branchline.branch import PRODUCTION
from branchline.config.deploy_file import Schedule, read_deploy_file
from branchline.config.mlproject import find_project
from branchline.config.targets import Compute
from branchline.errors import BadInput, RunFailed
from branchline.platforms.base import ScheduledJob
from branchline.platforms.databricks.jobs import WorkspaceJobs
from branchline.runs.request import Asked, Request, request as requested
from branchline.wheels.artifacts import Artifact
from branchline.wheels.build import build
from branchline.wheels.publish import publish
from support.clone import PATH, ROOT
from support.processes import PROJECT, wait_until
from support.releasing import CLUSTER, Shop, shop_in
from workspace_server import Workspace

LIBRARY = Artifact("wheel", "a", "1.0", "/Volumes/a.whl")
PRINCIPAL = "6f1c1f0e-0000-4000-8000-0123456789ab"


@pytest.fixture
def shop(workspace: Workspace, store: str, tmp_path: Path,
         monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("PATH", PATH)
    with shop_in("workspace", workspace, store, tmp_path) as opened:
        yield opened


def workspace_of(shop: Shop) -> WorkspaceJobs:
    jobs = shop.platform.jobs
    assert isinstance(jobs, WorkspaceJobs)
    return jobs


def computed(shop: Shop, compute: Compute) -> WorkspaceJobs:
    there = workspace_of(shop)
    return replace(there, target=replace(there.target, compute=compute))


def scheduled(shop: Shop, *wheels: Artifact, **parameters: str) -> ScheduledJob:
    values = shop.project.entry_point("main").check(parameters)
    request = Request(shop.root, shop.project, "main", values, PRODUCTION)
    return ScheduledJob(
        f"{shop.name}-score", request, wheels or (LIBRARY,),
        shop.platform.copy_project(shop.project),
        f"/Shared/{shop.name}", Schedule("0 0 5 * * ?", "Europe/Berlin"), PRINCIPAL,
        {"commit": "c" * 40})


def test_a_job_is_scheduled_runs_as_the_principal_and_says_what_it_is(shop: Shop) -> None:
    settings = shop.platform.jobs.settings(scheduled(shop))
    assert settings["schedule"] == {"quartz_cron_expression": "0 0 5 * * ?",
                                    "timezone_id": "Europe/Berlin"}
    assert settings["run_as"] == {"service_principal_name": PRINCIPAL}
    assert settings["tags"] == {"deployed_by": "branchline", "commit": "c" * 40}
    assert settings["max_concurrent_runs"] == 1
    assert settings["tasks"][0]["libraries"] == [{"whl": "/Volumes/a.whl"}]


@pytest.mark.parametrize(("compute", "found"), [
    (Compute(existing_cluster_id=CLUSTER), ("existing_cluster_id", CLUSTER)),
    (Compute(serverless="5"), ("environment_key", "default"))])
def test_a_job_uses_the_targets_compute(
        shop: Shop, compute: Compute, found: tuple[str, Any]) -> None:
    there = computed(shop, compute)
    settings = there.settings(scheduled(shop))
    assert settings["tasks"][0][found[0]] == found[1]
    there.put(f"{shop.name}-score", settings)  # which the workspace takes


def test_a_job_cluster_gets_experiment_and_tags(shop: Shop) -> None:
    (shop.root / "cluster.json").write_text((ROOT / "cluster.json").read_text())
    there = computed(shop, Compute(cluster="cluster.json"))
    cluster = there.settings(scheduled(shop))["tasks"][0]["new_cluster"]
    assert cluster["spark_env_vars"]["MLFLOW_EXPERIMENT_NAME"] == f"/Shared/{shop.name}"
    assert cluster["custom_tags"]["commit"] == "c" * 40


def test_a_continuous_job_has_no_time_limit_and_no_schedule(shop: Shop) -> None:
    job = replace(scheduled(shop), continuous=True, schedule=None)
    settings = shop.platform.jobs.settings(job)
    assert settings["continuous"] == {"pause_status": "UNPAUSED"}
    assert "schedule" not in settings and settings["timeout_seconds"] == 0


def test_a_changed_continuous_job_runs_with_its_new_settings(
        shop: Shop, workspace: Workspace) -> None:
    (shop.project.folder / "main.py").write_text("import time; time.sleep(600)\n")
    wheels = publish(build(shop.root, shop.root / "dist"), shop.platform.wheels).artifacts
    jobs, client = shop.platform.jobs, workspace.client()
    for who in ("world", "you"):
        job = replace(scheduled(shop, *wheels, who=who), continuous=True, schedule=None)
        jobs.put(job.name, jobs.settings(job))
        number = next(iter(client.jobs.list(name=job.name))).job_id
        wait_until(lambda: _running(client, number) is not None)
    wait_until(lambda: "you" in (_running(client, number) or ()))
    jobs.remove(job.name)
    wait_until(lambda: _running(client, number) is None)


def _running(client: Any, job: int | None) -> list[str] | None:
    """The arguments of the job's run that is at work; None if there is none."""
    for run in client.jobs.list_runs(job_id=job, active_only=True, expand_tasks=True):
        if run.tasks[0].status.state.value == "RUNNING":
            return list(run.tasks[0].spark_python_task.parameters)
    return None


def test_an_existing_job_with_the_same_name_is_taken_over(shop: Shop, workspace: Workspace) -> None:
    job = scheduled(shop)
    task = Task("main", existing_cluster_id=CLUSTER, spark_python_task=SparkPythonTask("/a.py"))
    by_hand = workspace.client().jobs.create(name=job.name, tasks=[task]).job_id
    shop.platform.jobs.put(job.name, shop.platform.jobs.settings(job))
    found = list(workspace.client().jobs.list(name=job.name))
    assert [each.job_id for each in found] == [by_hand]
    assert (found[0].settings and found[0].settings.tags or {})["deployed_by"] == "branchline"


def test_a_job_that_no_deployment_made_is_not_removed(shop: Shop, workspace: Workspace) -> None:
    name = f"{shop.name}-score"
    task = Task("main", existing_cluster_id=CLUSTER, spark_python_task=SparkPythonTask("/a.py"))
    workspace.client().jobs.create(name=name, tasks=[task])
    shop.platform.jobs.remove(name)
    assert shop.platform.jobs.actual(name) is not None


def test_a_deployed_job_runs_with_the_wheel_and_a_failing_one_says_why(shop: Shop) -> None:
    wheels = publish(build(shop.root, shop.root / "dist"), shop.platform.wheels).artifacts
    job = scheduled(shop, *wheels)
    shop.platform.jobs.put(job.name, shop.platform.jobs.settings(job))
    shop.platform.jobs.run(job.name)
    failing = scheduled(shop, *wheels, who="nobody")
    shop.platform.jobs.put(job.name, shop.platform.jobs.settings(failing))
    with pytest.raises(RunFailed, match="there is nobody to greet"):
        shop.platform.jobs.run(job.name)


LOGGING = "import mlflow\nwith mlflow.start_run(): mlflow.log_param('it', 'runs')\n"


@pytest.mark.parametrize("compute", [
    Compute(existing_cluster_id=CLUSTER), Compute(cluster="cluster.json")])
def test_a_run_of_a_job_is_a_run_in_productions_experiment(
        shop: Shop, workspace: Workspace, compute: Compute) -> None:
    (shop.project.folder / "main.py").write_text(LOGGING)
    (shop.root / "cluster.json").write_text((ROOT / "cluster.json").read_text())
    there = computed(shop, compute)
    wheels = publish(build(shop.root, shop.root / "dist"), shop.platform.wheels).artifacts
    job = scheduled(shop, *wheels)
    there.put(job.name, there.settings(job))
    there.run(job.name)
    experiment = workspace.client().experiments.get_by_name(f"/Shared/{shop.name}").experiment
    assert experiment and experiment.experiment_id
    found = workspace.client().experiments.search_runs(experiment_ids=[experiment.experiment_id])
    assert len(list(found)) == 1


def test_the_shipped_jobs_match_their_project_and_are_accepted(shop: Shop) -> None:
    there, file = workspace_of(shop), read_deploy_file(PROJECT / "deploy.yml")
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    given = dict(file.where("production").parameters)
    for job in file.jobs:
        request = requested(ROOT, there.target, project, PRODUCTION, Asked(job.entry_point, {
            **given, **job.parameters, "model_uri": "models:/m/1"}))
        settings = there.settings(replace(scheduled(shop), request=request))
        there.put(f"{shop.name}-score", settings)
        parameters = settings["tasks"][0]["spark_python_task"]["parameters"]
        assert {"models:/m/1", job.parameters["steps"], "production"} <= set(parameters)


def test_a_missing_job_cannot_be_run(shop: Shop) -> None:
    with pytest.raises(BadInput, match="not in the workspace; deploy it first"):
        shop.platform.jobs.run(f"{shop.name}-score")
