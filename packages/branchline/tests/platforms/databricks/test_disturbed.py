"""A workspace that goes wrong: the right result or a clear error, one cluster, no run RUNNING."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
from databricks.sdk import WorkspaceClient
from mlflow.entities import Run

from branchline.errors import NotSignedIn, Unreachable
from branchline.platforms.databricks.client import connect
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.job_run import JobRun
from branchline.platforms.databricks.poll import PollPolicy, poll
from branchline.platforms.databricks.project_copy import files_to_upload
from branchline.platforms.databricks.run_settings import RunSettings
from branchline.platforms.databricks.submit import RetryPolicy
from branchline.platforms.databricks.submit_project import Work, send
from branchline.platforms.databricks.tracking import WorkspaceTracking
from branchline.platforms.databricks.workspace import Workspace as ConnectedWorkspace
from branchline.platforms.project_files import upload
from support.greeting import CLUSTER
from workspace_server import Workspace

SUBMIT = "/api/2.2/jobs/runs/submit"
GET = "/api/2.2/jobs/runs/get"
SOON = RetryPolicy(first=0.1, longest=0.2, give_up=20)
IMPATIENT = PollPolicy(first=0.05, longest=0.2, outage=2.0)


class Sent:
    """One run of the silent script, with what was said about it."""

    def __init__(self, client: WorkspaceClient, greeting: Path, experiment: str) -> None:
        self.said: list[str] = []
        self.client = client
        self.run_id = mlflow.MlflowClient().create_run(experiment).info.run_id
        copy = upload(files_to_upload(greeting), "greeting",
                      destination("/Workspace/Shared/tests", client))
        self.work = Work("greeting", copy, "silent.py", (), self.run_id, experiment)
        self.settings = RunSettings(None, None, new_cluster=CLUSTER)

    def submit(self, settings: RunSettings | None = None, retry_policy: RetryPolicy = SOON,
               script: str = "silent.py") -> JobRun:
        job_run = send(self.client, replace(self.work, script=script), settings or self.settings,
                       self.said.append, retry_policy)
        tracking = WorkspaceTracking("databricks", None, workspace=self.client)
        return JobRun(self.client, tracking, self.run_id, job_run, self.said.append, IMPATIENT)

    @property
    def mlflow(self) -> Run:
        return mlflow.MlflowClient().get_run(self.run_id)


@pytest.fixture
def sent(client: WorkspaceClient, greeting: Path, experiment: str) -> Sent:
    return Sent(client, greeting, experiment)


@pytest.fixture
def clusters(signed_in: Workspace) -> Iterator[list[int]]:
    """Holds how many clusters the test has started when it is over."""
    before = signed_in.clusters_started()
    started: list[int] = []
    yield started
    assert [signed_in.clusters_started() - before] == started


@pytest.mark.parametrize("kind", ["429", "503", "500", "cut_before", "cut_after", "slow"])
def test_a_disturbed_submission_starts_one_cluster_and_succeeds(
        sent: Sent, signed_in: Workspace, clusters: list[int], kind: str) -> None:
    signed_in.fault(kind, path=SUBMIT, retry_after=1, seconds=0.5)
    submitted = sent.submit()
    assert submitted.wait().succeeded
    assert sent.mlflow.info.status == "FINISHED"
    clusters.append(1)


def test_a_submission_that_is_never_accepted_ends_with_a_clear_line(
        sent: Sent, signed_in: Workspace, clusters: list[int]) -> None:
    signed_in.fault("500", path=SUBMIT, times=100)
    with pytest.raises(Unreachable, match="submit greeting .*: the workspace does not answer"):
        sent.submit(retry_policy=RetryPolicy(0.05, 0.1, give_up=0.3))
    assert "The same submission is sent again." in sent.said[0]
    clusters.append(0)


@pytest.mark.parametrize("kind", ["503", "500", "cut_before", "cut_after"])
def test_a_connection_that_is_lost_while_waiting_is_retried(
        sent: Sent, signed_in: Workspace, kind: str) -> None:
    signed_in.fault(kind, path=GET)
    assert sent.submit().wait().succeeded
    assert sent.mlflow.info.status == "FINISHED"


def test_an_outage_that_does_not_end_is_reported_and_the_run_keeps_running(
        sent: Sent, signed_in: Workspace) -> None:
    submitted = sent.submit()
    signed_in.fault("500", path=GET, times=1000)
    with pytest.raises(Unreachable, match="the workspace does not answer"):
        submitted.wait()
    assert "connection lost; the run goes on, retrying" in sent.said
    signed_in.clear_faults()
    assert submitted.wait().succeeded


@pytest.fixture
def federated(signed_in: Workspace, monkeypatch: pytest.MonkeyPatch) -> ConnectedWorkspace:
    """Signed in as a CI is: by an id token, whose access token is over after a second."""
    for name in ("DATABRICKS_TOKEN", "DATABRICKS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "env-oidc")
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", "dev@example.com")
    signed_in.fault("short_token", times=1000)
    return connect(host=signed_in.host)


def test_a_temporary_sign_in_failure_is_reported_once_and_loses_no_run(
        sent: Sent, signed_in: Workspace, federated: ConnectedWorkspace) -> None:
    submitted = replace(sent.submit(script="rest.py"), client=federated,
                        poll_policy=PollPolicy(0.05, longest=0.3, longest_retry=0.5, outage=60))
    signed_in.fault("assertion_expired", times=4)
    assert submitted.wait().succeeded
    assert sent.mlflow.info.status == "FINISHED"
    told = [line for line in sent.said if "cannot be renewed" in line]
    assert len(told) == 1 and told[0].startswith("the sign-in cannot be renewed; the run goes on")
    assert "AADSTS700024" in told[0] and "Config:" not in told[0]


def test_polling_stops_if_sign_in_is_never_renewed_and_the_run_goes_on(
        sent: Sent, signed_in: Workspace, federated: ConnectedWorkspace) -> None:
    signed_in.fault("never_starts")
    submitted = replace(sent.submit(), client=federated)
    signed_in.fault("assertion_expired", times=1000)
    with pytest.raises(NotSignedIn, match="AADSTS700024.*The run goes on; --attach follows it."):
        submitted.wait()
    state = signed_in.client().jobs.get_run(submitted.job_run).state
    assert state and state.life_cycle_state and state.life_cycle_state.value == "PENDING"
    signed_in.clear_faults()
    assert sent.mlflow.info.status == "RUNNING"
    submitted.cancel()
    assert sent.mlflow.info.status == "KILLED"


@pytest.mark.parametrize(("kind", "cause"), [
    ("cluster_failure", "the cluster did not start or was lost: "),
    ("node_lost", "the cluster did not start or was lost: "),
    ("library_failure", "a library would not install: "),
])
def test_failures_of_the_platform_are_distinguished(
        sent: Sent, signed_in: Workspace, kind: str, cause: str) -> None:
    signed_in.fault(kind)
    submitted = sent.submit(script="sleep.py")
    outcome = submitted.wait()
    assert not outcome.succeeded and outcome.cause.startswith(cause)
    assert "doctor.py" in outcome.cause
    assert sent.mlflow.info.status == "FAILED"
    assert sent.mlflow.data.tags["error"] == outcome.cause


def test_a_cluster_that_never_starts_is_ended_by_the_time_limit(
        sent: Sent, signed_in: Workspace) -> None:
    signed_in.fault("never_starts")
    submitted = sent.submit(RunSettings(None, None, new_cluster=CLUSTER, timeout_seconds=1))
    outcome = submitted.wait()
    assert not outcome.succeeded and outcome.cause.startswith("time limit reached")
    assert sent.mlflow.info.status == "FAILED"


def test_a_cluster_that_never_starts_can_be_cancelled(sent: Sent, signed_in: Workspace) -> None:
    signed_in.fault("never_starts")
    submitted = sent.submit()
    submitted.cancel()
    assert sent.mlflow.info.status == "KILLED"
    ended = poll(sent.client, submitted.job_run, sent.said.append, IMPATIENT)
    assert ended.result == "CANCELED"
    outcome = submitted.wait()
    assert outcome.cancelled and not outcome.succeeded


def test_progress_is_reported_as_it_changes(sent: Sent) -> None:
    assert sent.submit().wait().succeeded
    order = ["pending", "cluster starting", "installing libraries", "running"]
    told = [line for line in sent.said if line in order]
    assert told == sorted(set(told), key=order.index) and "running" in told
