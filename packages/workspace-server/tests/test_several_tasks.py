"""Runs of several tasks, one after the other: what waits, what is tried again, what is left out."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, NotImplemented
from databricks.sdk.service.jobs import Run

from runs_in_workspace import CLUSTER, SavedJob, after, prints, result
from workspace_server import Workspace

SHARED = [{"job_cluster_key": "one", "new_cluster": CLUSTER}]


def results(run: Run) -> list[tuple[str | None, int | None, str]]:
    """Key, attempt and result of each entry of `tasks`."""
    return [(task.task_key, task.attempt_number, task.state.result_state.value)
            for task in run.tasks or [] if task.state and task.state.result_state]


def ran(saved: SavedJob, *tasks: dict[str, Any], **settings: Any) -> Run:
    return saved.ended(saved.now(saved.create(*tasks, **settings)))


def test_a_task_runs_after_those_it_depends_on_and_knows_them(saved: SavedJob) -> None:
    run = ran(saved, prints("b", "{{tasks.a.run_id}}", "{{tasks.a.result_state}}",
                            depends_on=after("a")), prints("a"))
    times = {task.task_key: task for task in run.tasks or []}
    assert (times["a"].end_time or 0) <= (times["b"].start_time or 0)
    assert saved.printed(run)["b"] == f"{times['a'].run_id} success\n"
    assert result(run)[0] == "SUCCESS"


def test_what_depends_on_a_failed_task_does_not_run(saved: SavedJob) -> None:
    run = ran(saved, prints("a", "fail"), prints("b", depends_on=after("a")),
              prints("c", depends_on=after("b")), prints("d"))
    assert sorted(results(run)) == [("a", 0, "FAILED"), ("b", 0, "UPSTREAM_FAILED"),
                                    ("c", 0, "UPSTREAM_FAILED"), ("d", 0, "SUCCESS")]
    assert result(run)[:3] == ("FAILED", "RUN_EXECUTION_ERROR", "INTERNAL_ERROR")


@pytest.mark.parametrize(("rule", "b", "of_run"), [
    ("ALL_DONE", "SUCCESS", "SUCCESS_WITH_FAILURES"),
    ("AT_LEAST_ONE_FAILED", "SUCCESS", "SUCCESS_WITH_FAILURES"),
    ("AT_LEAST_ONE_SUCCESS", "SUCCESS", "SUCCESS_WITH_FAILURES"),
    ("ALL_FAILED", "EXCLUDED", "SUCCESS_WITH_FAILURES"),
    ("NONE_FAILED", "EXCLUDED", "SUCCESS_WITH_FAILURES"),
    ("ALL_SUCCESS", "UPSTREAM_FAILED", "FAILED")])
def test_run_if_decides_after_a_failure_beside_a_success(rule: str, b: str, of_run: str,
                                                         saved: SavedJob) -> None:
    run = ran(saved, prints("bad", "fail"), prints("good"),
              prints("b", depends_on=after("bad", "good"), run_if=rule))
    assert ("b", 0, b) in results(run)
    assert result(run)[0] == of_run


def test_a_task_is_tried_again_as_often_as_it_says(saved: SavedJob) -> None:
    run = ran(saved, prints("a", "fail", "{{task.execution_count}}", max_retries=2,
                            min_retry_interval_millis=10))
    assert results(run) == [("a", 0, "FAILED"), ("a", 1, "FAILED"), ("a", 2, "FAILED")]
    assert saved.printed(run)["a"].startswith("fail 3\n")
    assert result(run)[0] == "FAILED"


def test_a_second_attempt_that_succeeds_makes_the_run_succeed(
        saved: SavedJob, workspace: Workspace) -> None:
    workspace.fault("library_failure")
    run = ran(saved, prints("a", max_retries=1), prints("b", depends_on=after("a")))
    assert sorted(results(run)) == [("a", 0, "FAILED"), ("a", 1, "SUCCESS"), ("b", 0, "SUCCESS")]
    assert result(run)[0] == "SUCCESS"


@pytest.mark.parametrize(("again", "attempts"), [(False, 1), (True, 2)])
def test_a_task_out_of_time_is_tried_again_only_if_asked(
        again: bool, attempts: int, saved: SavedJob, workspace: Workspace) -> None:
    workspace.fault("never_starts", times=2)
    run = ran(saved, prints("a", new_cluster=CLUSTER, timeout_seconds=1, max_retries=1,
                            retry_on_timeout=again))
    assert [entry[2] for entry in results(run)] == ["TIMEDOUT"] * attempts


def test_a_cancelled_run_leaves_its_later_tasks_out(saved: SavedJob, workspace: Workspace) -> None:
    workspace.fault("never_starts")
    run_id = saved.now(saved.create(prints("a", new_cluster=CLUSTER, max_retries=3),
                                    prints("b", depends_on=after("a"))))
    saved.post("runs/cancel", {"run_id": run_id})
    run = saved.ended(run_id)
    assert results(run) == [("a", 0, "CANCELED"), ("b", 0, "CANCELED")]
    assert result(run)[0] == "CANCELED"


def test_tasks_share_a_job_cluster_which_ends_with_the_run(saved: SavedJob,
                                                           workspace: Workspace) -> None:
    before = workspace.clusters_started()
    run = ran(saved, prints("a", job_cluster_key="one"),
              prints("b", job_cluster_key="one", depends_on=after("a")), job_clusters=SHARED)
    assert result(run)[0] == "SUCCESS"
    used = {task.cluster_instance.cluster_id for task in run.tasks or [] if task.cluster_instance}
    cluster = saved.client.clusters.get(used.pop() or "")
    assert used == set() and workspace.clusters_started() == before + 1
    assert cluster.state and cluster.state.value == "TERMINATED"


def test_a_job_cluster_that_does_not_start_is_retried(
        saved: SavedJob, workspace: Workspace) -> None:
    workspace.fault("cluster_failure")
    run = ran(saved, prints("a", job_cluster_key="one", max_retries=1), job_clusters=SHARED)
    assert results(run) == [("a", 0, "FAILED"), ("a", 1, "SUCCESS")]
    used = [task.cluster_instance.cluster_id for task in run.tasks or [] if task.cluster_instance]
    states = [saved.client.clusters.get(cluster or "").state for cluster in used]
    assert len(set(used)) == 2 and {state.value for state in states if state} == {"TERMINATED"}


@pytest.mark.parametrize(("tasks", "settings", "says"), [
    ([prints("a", job_cluster_key="two")], {"job_clusters": SHARED}, "two is not among"),
    ([prints("a"), prints("a")], {}, "twice"),
    ([prints("a", depends_on=after("none"))], {}, "not there"),
    ([prints("a", depends_on=after("b")), prints("b", depends_on=after("a"))], {},
     "depend on each other"),
    ([prints("a", run_if="OTHER")], {}, "run_if"),
    ([prints("a", max_retries=-2)], {}, "max_retries")])
def test_a_job_is_refused_with(tasks: list[dict[str, Any]], settings: dict[str, Any], says: str,
                               saved: SavedJob) -> None:
    with pytest.raises(InvalidParameterValue, match=says):
        saved.create(*tasks, **settings)


def test_a_submitted_run_with_a_job_cluster_key_is_refused(saved: SavedJob) -> None:
    with pytest.raises(InvalidParameterValue, match="for the tasks of a job"):
        saved.post("runs/submit", {"tasks": [prints("a", job_cluster_key="one")]})


def test_a_serverless_run_has_no_cluster(saved: SavedJob) -> None:
    known = {cluster.cluster_id for cluster in saved.client.clusters.list()}
    run = ran(saved, prints("a", environment_key="e"), environments=[
        {"environment_key": "e", "spec": {"environment_version": "4"}}])
    assert result(run)[0] == "SUCCESS" and run.tasks
    assert run.cluster_instance is None and run.tasks[0].cluster_instance is None
    assert run.tasks[0].environment_key == "e"
    assert {cluster.cluster_id for cluster in saved.client.clusters.list()} == known


def test_one_of_several_tasks_cannot_be_cancelled(saved: SavedJob, workspace: Workspace) -> None:
    workspace.fault("never_starts")
    run_id = saved.now(saved.create(prints("a", new_cluster=CLUSTER), prints("b")))
    tasks = saved.client.jobs.get_run(run_id).tasks
    assert tasks
    with pytest.raises(NotImplemented, match="one of several tasks"):
        saved.post("runs/cancel", {"run_id": tasks[0].run_id})
