"""A continuous job is run again whenever its run ends, until it is paused or deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import BaseRun, TriggerType

from runs_in_workspace import SavedJob, prints
from support.processes import wait_until

ALWAYS = {"pause_status": "UNPAUSED"}


@pytest.fixture
def runs(client: WorkspaceClient, saved: SavedJob) -> Iterator[Callable[..., list[BaseRun]]]:
    """Creates a continuous job, and lists its runs, oldest first."""
    made: list[int] = []

    def of(*parameters: str) -> list[BaseRun]:
        if not made:
            made.append(saved.create(prints("a", *parameters), continuous=ALWAYS))
        return sorted(client.jobs.list_runs(job_id=made[0]), key=lambda run: run.run_id or 0)

    yield of
    for job in made:
        client.jobs.delete(job)


def ended(run: BaseRun) -> bool:
    return bool(run.state and run.state.result_state)


def test_a_run_that_ends_is_followed_by_the_next_one(runs: Callable[..., list[BaseRun]]) -> None:
    wait_until(lambda: len(runs()) > 2)
    found = runs()
    assert all(ended(run) for run in found[:-1])
    assert {run.trigger for run in found} == {TriggerType.CONTINUOUS}


def test_a_run_that_fails_or_is_cancelled_is_followed_by_the_next_one(
        client: WorkspaceClient, runs: Callable[..., list[BaseRun]]) -> None:
    wait_until(lambda: len(runs("fail")) > 1)
    assert ended(runs()[0])
    client.jobs.cancel_run(runs()[-1].run_id or 0)
    before = len(runs())
    wait_until(lambda: len(runs()) > before)


def test_a_paused_job_is_not_run_and_its_run_is_cancelled(
        client: WorkspaceClient, saved: SavedJob, runs: Callable[..., list[BaseRun]]) -> None:
    wait_until(lambda: len(runs()) > 0)
    saved.post("update", {"job_id": runs()[0].job_id, "new_settings": {
        "continuous": {"pause_status": "PAUSED"}}})
    wait_until(lambda: all(ended(run) for run in runs()))
    before = len(runs())
    wait_until(lambda: all(ended(run) for run in runs()))
    assert len(runs()) == before


def test_a_continuous_job_has_no_schedule(saved: SavedJob) -> None:
    with pytest.raises(InvalidParameterValue, match="cannot have a schedule"):
        saved.create(prints("a"), continuous=ALWAYS, schedule={
            "quartz_cron_expression": "0 0 5 * * ?", "timezone_id": "UTC"})
