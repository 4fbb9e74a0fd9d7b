"""Finds the gate's result for a commit, in the tags and artifacts of the judged run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from branchline.deploy.release import GateResult
from branchline.errors import BadInput
from branchline.gate.verdict import FORMAT
from branchline.records import parsed
from branchline.runs.registry import Registry
from branchline.runs.answers import answered
from branchline.runs.artifacts import artifact
from branchline.runs.tracking import Tracking

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["gate_result"]

LOOKED_THROUGH = 1000
TABLE, FORM = "table.", "model.form"


def gate_result(tracking: Tracking, experiment: str, version: str, commit: str, model: str,
                run_id: str | None = None) -> GateResult:
    """The verdict on the run called `run_id`, else on the experiment's newest judged run.

    Only runs of exactly this source count: they have the commit and the wheel's version as tags.

    Args:
        model: the name of the project's registered model.

    Raises:
        BadInput: the named run is of another source.
    """
    with answered(f"runs on commit {commit[:12]}"):
        run = (_named(tracking, run_id, version) if run_id else
               _newest(tracking, experiment, version, commit))
        if run is None:
            return GateResult()
        tags = run.data.tags
        registered = Registry(tracking).of_run(model, run.info.run_id)
        return GateResult(
            tags.get("gate", "none"), tags.get("gate.reasons", "the run was not judged"),
            run.info.run_id, f"models:/{model}/{registered}" if registered else None,
            {name.removeprefix(TABLE): text for name, text in tags.items()
             if name.startswith(TABLE)},
            _verdict(run), artifact(run, "gate/verdict.png"), tags.get(FORM))


def _named(tracking: Tracking, run_id: str, version: str) -> Run:
    run = tracking.run(run_id)
    found = run.data.tags.get("wheel_version")
    if found != version:
        raise BadInput(f"run {run_id}: ran version {found}, but the checkout is {version}; "
                       "expected a run of the version to publish.")
    return run


def _newest(tracking: Tracking, experiment: str, version: str, commit: str) -> Run | None:
    client = tracking.client()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return None
    runs = client.search_runs([found.experiment_id], f"tags.commit = '{commit}'",
                              order_by=["attributes.start_time DESC"], max_results=LOOKED_THROUGH)
    return next((run for run in runs if "gate" in run.data.tags
                 and run.data.tags.get("wheel_version") == version), None)


def _verdict(run: Run) -> dict[str, Any] | None:
    content = artifact(run, "gate/verdict.json")
    if content is None:
        return None
    where = f"run {run.info.run_id}: gate/verdict.json"
    return FORMAT.read(parsed(content, where), where)
