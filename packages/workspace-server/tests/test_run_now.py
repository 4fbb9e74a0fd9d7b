"""What a run of a job takes from its request: parameters, references, tokens, its turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotImplemented
from databricks.sdk.service.jobs import RunLifeCycleState
from databricks.sdk.service.workspace import ImportFormat

from runs_in_workspace import CLUSTER, Jobs, SavedJob, after, prints, result
from workspace_server import Workspace
from workspace_server.identity import WORKSPACE_ID

REFERENCES = ("{{job.id}}", "{{job.name}}", "{{job.run_id}}", "{{ job.parameters.x }}",
              "{{job.parameters.`y`}}", "{{task.name}}", "{{task.run_id}}", "{{workspace.id}}",
              "{{job.start_time.iso_date}}", "{{job.repair_count}}", "{{task.execution_count}}")
PARAMETERS = [{"name": "x", "default": "1"}, {"name": "y", "default": "2"}]


def said(saved: SavedJob, job: int, **body: Any) -> str:
    return saved.printed(saved.ended(saved.now(job, **body)))["a"].strip()


def test_python_params_replace_those_of_the_tasks(client: WorkspaceClient,
                                                  saved: SavedJob) -> None:
    job = saved.create(prints("a", "--of", "job"))
    assert said(saved, job) == "--of job"
    run = saved.ended(saved.now(job, python_params=["--of", "{{task.name}}"]))
    assert saved.printed(run)["a"] == "--of a\n"
    assert run.overriding_parameters
    assert run.overriding_parameters.python_params == ["--of", "{{task.name}}"]


def test_references_are_replaced_by_their_values(saved: SavedJob) -> None:
    job = saved.create(prints("a", *REFERENCES), name="refers", parameters=PARAMETERS)
    today = datetime.now(UTC).date()
    run = saved.ended(saved.now(job, job_parameters={"y": "other"}))
    assert run.tasks
    assert saved.printed(run)["a"].split() == [
        str(job), "refers", str(run.run_id), "1", "other", "a", str(run.tasks[0].run_id),
        WORKSPACE_ID, str(today), "0", "1"]


def test_the_oldest_references_are_still_resolved(saved: SavedJob) -> None:
    job = saved.create(prints("a", "{{job_id}}", "{{run_id}}", "{{parent_run_id}}", "{{task_key}}"))
    run = saved.ended(saved.now(job))
    assert run.tasks
    assert saved.printed(run)["a"].split() == [
        str(job), str(run.tasks[0].run_id), str(run.run_id), "a"]


def test_references_are_resolved_in_submitted_runs_too(jobs: Jobs) -> None:
    script = "import sys; print(sys.argv[1:])"
    run_id = jobs.submit(script, "{{job.run_id}}", "{{task.name}}")
    assert jobs.ended(run_id)[1] == f"['{run_id}', 'main']\n"


@pytest.mark.parametrize("text", ["{{my.value}}", "{{my.value}", "{{}}", "{{job.parameters.none}}"])
def test_text_without_a_known_reference_is_plain(text: str, saved: SavedJob) -> None:
    assert said(saved, saved.create(prints("a", text))) == text


@pytest.mark.parametrize("text", ["{{job.naem}}", "{{task.id}}", "{{job.start_time.now}}"])
def test_a_wrong_reference_in_a_known_namespace_is_refused(text: str, saved: SavedJob) -> None:
    with pytest.raises(InvalidParameterValue, match="is not a valid reference"):
        saved.create(prints("a", text))


def test_a_run_shows_its_parameters(saved: SavedJob) -> None:
    run = saved.ended(saved.now(saved.create(prints("a"), parameters=PARAMETERS),
                                job_parameters={"x": "9"}))
    assert [each.as_dict() for each in run.job_parameters or []] == [
        {"name": "x", "default": "1", "value": "9"}, {"name": "y", "default": "2", "value": "2"}]


def test_only_the_named_tasks_run(saved: SavedJob) -> None:
    job = saved.create(prints("a"), prints("b", depends_on=after("a")), prints("c"))
    run = saved.ended(saved.now(job, only=["b", "c"]))
    assert sorted(saved.printed(run)) == ["b", "c"]
    with pytest.raises(InvalidParameterValue, match="no task none"):
        saved.now(job, only=["none"])


def test_a_token_starts_one_run_of_a_job_and_no_other_job_gets_it(saved: SavedJob) -> None:
    one, other = saved.create(prints("a")), saved.create(prints("a"))
    run = saved.now(one, idempotency_token="t")
    assert saved.now(one, idempotency_token="t") == run
    assert saved.now(other, idempotency_token="t") != run


def test_a_run_above_the_jobs_limit_is_skipped(saved: SavedJob, workspace: Workspace) -> None:
    job = saved.create(prints("a", new_cluster=CLUSTER))
    workspace.fault("never_starts")
    first = saved.now(job)
    skipped = saved.ended(saved.now(job))
    assert result(skipped)[:3] == ("MAXIMUM_CONCURRENT_RUNS_REACHED",
                                   "MAX_CONCURRENT_RUNS_EXCEEDED", "SKIPPED")
    saved.post("runs/cancel", {"run_id": first})
    saved.ended(first)
    assert result(saved.ended(saved.now(job)))[0] == "SUCCESS"


@pytest.mark.parametrize(("of_job", "of_run"), [
    ({"queue": {"enabled": True}}, {}), ({}, {"queue": {"enabled": True}})])
def test_a_run_above_the_limit_waits_if_the_job_or_run_has_a_queue(of_job: dict[str, Any],
                                                                   of_run: dict[str, Any],
                                                                   saved: SavedJob,
                                                                   workspace: Workspace) -> None:
    job = saved.create(prints("a", new_cluster=CLUSTER), **of_job)
    workspace.fault("never_starts")
    first, second = saved.now(job), saved.now(job, **of_run)
    waiting = saved.client.jobs.get_run(second)
    assert waiting.state and waiting.state.life_cycle_state is RunLifeCycleState.QUEUED
    assert waiting.status and waiting.status.queue_details and waiting.status.queue_details.code
    assert waiting.status.queue_details.code.value == "MAX_CONCURRENT_RUNS_REACHED"
    saved.post("runs/cancel", {"run_id": first})
    assert result(saved.ended(second))[0] == "SUCCESS"


def test_a_run_in_the_queue_can_be_cancelled(saved: SavedJob, workspace: Workspace) -> None:
    job = saved.create(prints("a", new_cluster=CLUSTER), queue={"enabled": True})
    workspace.fault("never_starts")
    saved.now(job)
    second = saved.now(job)
    saved.post("runs/cancel", {"run_id": second})
    assert result(saved.ended(second))[0] == "CANCELED"


def test_a_job_may_have_several_runs_at_once(saved: SavedJob, workspace: Workspace) -> None:
    job = saved.create(prints("a", new_cluster=CLUSTER), max_concurrent_runs=2)
    workspace.fault("never_starts")
    saved.now(job)
    assert result(saved.ended(saved.now(job)))[0] == "SUCCESS"


def test_a_job_with_no_runs_at_once_skips_all(saved: SavedJob) -> None:
    job = saved.create(prints("a"), max_concurrent_runs=0)
    state = saved.ended(saved.now(job)).state
    assert state and state.life_cycle_state is RunLifeCycleState.SKIPPED


WHO = ("from databricks.sdk import WorkspaceClient\n"
       "print(WorkspaceClient().current_user.me().user_name)")


@pytest.mark.parametrize(("run_as", "who"), [
    ({}, "dev@example.com"), ({"user_name": "ci@example.com"}, "ci@example.com"),
    ({"service_principal_name": "6f1c1f0e-0000"}, "6f1c1f0e-0000")])
def test_a_job_runs_as_its_owner_or_its_run_as_user(
        run_as: dict[str, str], who: str, saved: SavedJob, workspace: Workspace) -> None:
    saved.client.workspace.upload("/Shared/who.py", WHO.encode(), overwrite=True,
                                  format=ImportFormat.RAW)
    task = prints("a")
    task["spark_python_task"] = {"python_file": "/Shared/who.py"}
    job = saved.create(task, **({"run_as": run_as} if run_as else {}))
    ci = SavedJob(workspace.client("ci@example.com"))
    run = ci.ended(ci.now(job))
    assert saved.printed(run)["a"].split()[-1] == who
    assert run.creator_user_name == "ci@example.com"


def test_parameters_of_both_kinds_at_once_are_refused(saved: SavedJob) -> None:
    job = saved.create(prints("a"), parameters=PARAMETERS)
    with pytest.raises(NotImplemented, match="job_parameters and python_params"):
        saved.now(job, python_params=["a"], job_parameters={"x": "1"})
