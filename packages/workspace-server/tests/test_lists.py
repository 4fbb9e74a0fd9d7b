"""What runs/list and jobs/list leave out: a client acts on all that they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import RunType

from runs_in_workspace import CLUSTER, Jobs, SavedJob, prints
from workspace_server import Workspace


@dataclass(frozen=True)
class Two:
    """Two jobs with a run each, one of them waiting for its cluster, and a submitted run."""

    jobs: tuple[int, int]
    ended: int
    waiting: int
    submitted: int


@pytest.fixture
def two(saved: SavedJob, workspace: Workspace) -> Two:
    mine, other = saved.create(prints("a")), saved.create(prints("a", new_cluster=CLUSTER))
    ended = saved.now(mine)
    saved.ended(ended)
    workspace.fault("never_starts")
    waiting = saved.now(other)
    submitted = int(saved.post("runs/submit", {"tasks": [prints("a")]})["run_id"])
    saved.ended(submitted)
    return Two((mine, other), ended, waiting, submitted)


def listed(client: WorkspaceClient, **query: Any) -> list[int | None]:
    return [run.run_id for run in client.jobs.list_runs(**query)]


def test_runs_are_listed_by_job(client: WorkspaceClient, two: Two) -> None:
    """`bundle run --restart` cancels all that this answers."""
    assert listed(client, job_id=two.jobs[0]) == [two.ended]
    assert listed(client, job_id=two.jobs[1], active_only=True) == [two.waiting]
    assert listed(client, job_id=two.jobs[0], active_only=True) == []
    assert listed(client, job_id=1) == []


def test_runs_are_listed_by_whether_they_have_ended(client: WorkspaceClient, two: Two) -> None:
    assert listed(client, active_only=True) == [two.waiting]
    ended = listed(client, completed_only=True)
    assert ended[:2] == [two.submitted, two.ended] and two.waiting not in ended


def test_runs_are_listed_by_their_type(client: WorkspaceClient, two: Two) -> None:
    assert listed(client, run_type=RunType.JOB_RUN)[:2] == [two.waiting, two.ended]
    assert two.submitted in listed(client, run_type=RunType.SUBMIT_RUN)
    assert listed(client, run_type=RunType.WORKFLOW_RUN) == []


def test_runs_are_listed_by_their_start(client: WorkspaceClient, two: Two) -> None:
    start = client.jobs.get_run(two.waiting).start_time or 0
    assert two.ended not in listed(client, start_time_from=start)
    assert two.waiting in listed(client, start_time_from=start, start_time_to=start)
    assert two.submitted not in listed(client, start_time_to=start - 1)


def test_runs_are_listed_in_pages_and_from_an_offset(client: WorkspaceClient, two: Two) -> None:
    every = listed(client)
    assert listed(client, limit=1) == every  # the SDK follows next_page_token
    page = client.api_client.do("GET", "/api/2.2/jobs/runs/list", query={"limit": 1, "offset": 1})
    assert isinstance(page, dict)
    assert [run["run_id"] for run in page["runs"]] == [two.waiting]
    assert (page["next_page_token"], page["prev_page_token"]) == ("2", "0")


def test_tasks_are_listed_only_where_they_are_asked_for(client: WorkspaceClient,
                                                        two: Two) -> None:
    plain, = client.jobs.list_runs(job_id=two.jobs[0])
    expanded, = client.jobs.list_runs(job_id=two.jobs[0], expand_tasks=True)
    assert not plain.tasks
    assert expanded.tasks and expanded.tasks[0].task_key == "a"


@pytest.mark.parametrize("query", [
    {"active_only": "true", "completed_only": "true"}, {"limit": "26"}, {"limit": "-1"},
    {"limit": "many"}, {"run_type": "OTHER"}, {"page_token": "x"}, {"offset": "-1"},
    {"job_id": "x"}])
def test_a_list_of_runs_is_refused_with(query: dict[str, str], client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue):
        client.api_client.do("GET", "/api/2.2/jobs/runs/list", query=query)


def test_a_run_of_a_job_is_distinguished_from_a_submitted_one(
        client: WorkspaceClient, two: Two) -> None:
    run, submitted = client.jobs.get_run(two.ended), client.jobs.get_run(two.submitted)
    assert (run.job_id, run.run_type) == (two.jobs[0], RunType.JOB_RUN)
    assert submitted.run_type is RunType.SUBMIT_RUN
    assert submitted.job_id not in (None, *two.jobs)


def test_jobs_are_listed_newest_first_in_pages_and_by_name(client: WorkspaceClient,
                                                           saved: SavedJob) -> None:
    first, second = saved.create(prints("a"), name="One"), saved.create(prints("a"), name="two")
    assert [job.job_id for job in client.jobs.list(limit=1)] == [second, first]
    assert [job.job_id for job in client.jobs.list(name="ONE")] == [first]
    assert [job.job_id for job in client.jobs.list(offset=1)] == [first]
    assert list(client.jobs.list(name="on")) == []


def test_a_jobs_tasks_are_listed_only_where_they_are_asked_for(client: WorkspaceClient,
                                                               saved: SavedJob) -> None:
    saved.create(prints("a"))
    plain, = client.jobs.list()
    expanded, = client.jobs.list(expand_tasks=True)
    assert plain.settings and not plain.settings.tasks
    assert expanded.settings and expanded.settings.tasks


@pytest.mark.parametrize("query", [{"limit": "101"}, {"limit": "0"}, {"page_token": "x"}])
def test_a_list_of_jobs_is_refused_with(query: dict[str, str], client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue):
        client.api_client.do("GET", "/api/2.2/jobs/list", query=query)


def test_all_runs_of_a_job_are_cancelled_and_no_others(client: WorkspaceClient, jobs: Jobs,
                                                       two: Two) -> None:
    client.jobs.cancel_all_runs(job_id=two.jobs[0])
    assert listed(client, active_only=True) == [two.waiting]
    client.jobs.cancel_all_runs(job_id=two.jobs[1])
    state = jobs.reached(two.waiting).state
    assert state and state.result_state and state.result_state.value == "CANCELED"
