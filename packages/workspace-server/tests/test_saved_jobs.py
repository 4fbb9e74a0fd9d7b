from __future__ import annotations

from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.jobs import JobSettings, SparkPythonTask, Task
from databricks.sdk.service.workspace import ImportFormat

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


def test_a_job_that_could_not_run_is_not_kept(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue):
        client.jobs.create(name="broken", tasks=[Task("main")])
    assert list(client.jobs.list()) == []
