from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotImplemented, ResourceDoesNotExist
from databricks.sdk.service.jobs import JobSettings, SparkPythonTask, Task
from databricks.sdk.service.workspace import ImportFormat

from runs_in_workspace import SavedJob, prints
from workspace_server import Workspace

SCRIPT = "/Shared/saved.py"


@pytest.fixture
def client(workspace: Workspace) -> Iterator[WorkspaceClient]:
    made = workspace.client()
    made.workspace.upload(SCRIPT, b"print('it runs')", format=ImportFormat.RAW, overwrite=True)
    yield made
    for job in made.jobs.list():
        made.jobs.delete(job.job_id or 0)


def task(*parameters: str) -> Task:
    return Task("main", existing_cluster_id="0101-000000-interact",
                spark_python_task=SparkPythonTask(SCRIPT, parameters=list(parameters)))


def test_a_job_is_found_by_its_name_and_reset_as_a_whole(client: WorkspaceClient) -> None:
    job = client.jobs.create(name="score", tasks=[task()], tags={"a": "b"}).job_id or 0
    client.jobs.create(name="monitor", tasks=[task()])
    assert [found.job_id for found in client.jobs.list(name="score")] == [job]
    client.jobs.reset(job, JobSettings(name="score", tasks=[task("x")]))
    settings = client.jobs.get(job).settings
    assert settings and settings.tags is None
    assert settings.tasks and settings.tasks[0].spark_python_task
    assert settings.tasks[0].spark_python_task.parameters == ["x"]


def test_a_job_can_be_run_now_and_is_gone_when_deleted(client: WorkspaceClient) -> None:
    job = client.jobs.create(name="score", tasks=[task()]).job_id or 0
    run = client.jobs.run_now(job).result()
    assert run.state and run.state.result_state and run.state.result_state.value == "SUCCESS"
    client.jobs.delete(job)
    with pytest.raises((ResourceDoesNotExist, InvalidParameterValue)):
        client.jobs.get(job)


def test_a_deleted_jobs_number_is_not_given_again(client: WorkspaceClient) -> None:
    first = client.jobs.create(name="score", tasks=[task()]).job_id or 0
    client.jobs.delete(first)
    assert client.jobs.create(name="score", tasks=[task()]).job_id != first


def test_a_job_that_could_not_run_is_not_kept(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue):
        client.jobs.create(name="broken", tasks=[Task("main")])
    assert list(client.jobs.list()) == []


PARAMETERS = [{"name": "x", "default": "1"}]


def settings_of(client: WorkspaceClient, job: int) -> dict[str, Any]:
    found = client.jobs.get(job).settings
    assert found
    return found.as_dict()


def test_update_changes_what_is_given_and_takes_away_what_is_named(
        client: WorkspaceClient, saved: SavedJob) -> None:
    job = saved.create(prints("a"), name="old", tags={"a": "b"}, parameters=PARAMETERS,
                       timeout_seconds=60)
    saved.post("update", {"job_id": job, "new_settings": {"name": "new"},
                          "fields_to_remove": ["tags", "parameters/x", "timeout_seconds"]})
    settings = settings_of(client, job)
    assert settings["name"] == "new" and [task["task_key"] for task in settings["tasks"]] == ["a"]
    assert not {"tags", "parameters"} & settings.keys() and settings["timeout_seconds"] == 0


def test_update_merges_tasks_by_their_key(client: WorkspaceClient, saved: SavedJob) -> None:
    job = saved.create(prints("a", "1"), prints("b"))
    saved.post("update", {"job_id": job, "new_settings": {"tasks": [prints("a", "2")]}})
    saved.post("update", {"job_id": job, "fields_to_remove": ["tasks/b"]})
    task, = settings_of(client, job)["tasks"]
    assert task["spark_python_task"]["parameters"] == ["2"]


@pytest.mark.parametrize("field", ["none", "schedule/quartz_cron_expression", "name/a"])
def test_what_cannot_be_taken_away_is_refused(field: str, saved: SavedJob) -> None:
    job = saved.create(prints("a"))
    with pytest.raises(InvalidParameterValue, match="fields_to_remove"):
        saved.post("update", {"job_id": job, "fields_to_remove": [field]})


def test_a_change_that_could_not_run_leaves_the_job_as_it_was(client: WorkspaceClient,
                                                              saved: SavedJob) -> None:
    job = saved.create(prints("a"))
    before = settings_of(client, job)
    for call, body in (("update", {"fields_to_remove": ["tasks"]}),
                       ("reset", {"new_settings": {"name": "no tasks"}})):
        with pytest.raises(InvalidParameterValue):
            saved.post(call, {"job_id": job, **body})
    assert settings_of(client, job) == before


def test_reset_replaces_all_but_who_the_job_runs_as(client: WorkspaceClient,
                                                    saved: SavedJob) -> None:
    run_as = {"user_name": "ci@example.com"}
    job = saved.create(prints("a"), tags={"a": "b"}, run_as=run_as)
    saved.post("reset", {"job_id": job, "new_settings": {"tasks": [prints("b")]}})
    settings = settings_of(client, job)
    assert (settings.get("tags"), settings["run_as"]) == (None, run_as)
    assert client.jobs.get(job).run_as_user_name == "ci@example.com"


def test_fields_to_remove_are_for_update_only(saved: SavedJob) -> None:
    job = saved.create(prints("a"))
    with pytest.raises(NotImplemented, match="jobs/reset: field fields_to_remove"):
        saved.post("reset", {"job_id": job, "new_settings": {"tasks": [prints("a")]},
                             "fields_to_remove": ["tags"]})
