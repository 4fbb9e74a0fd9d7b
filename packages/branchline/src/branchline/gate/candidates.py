"""Finds the run that the gate judges and, without a model, the run to compare it with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.gate.comparison import Comparison, Measured, Model
from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["Candidate", "by_metrics", "find_candidate", "last_approved"]

FINISHED = "FINISHED"
LOOKED_THROUGH = 100  # newest models or runs to look at; the first that fits is taken


@dataclass(frozen=True)
class Candidate:
    """A finished run with its parameters and metrics; `model_id` is None if it logged no model."""

    run_id: str
    model_id: str | None
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        return f"models:/{self.model_id}" if self.model_id else f"runs:/{self.run_id}"


def find_candidate(tracking: Tracking, experiment_id: str, run_id: str | None,
                   with_model: bool) -> Candidate:
    """The run called `run_id`, else the newest finished one: with a model, or of the whole project.

    Raises:
        BadInput: there is no such run, it is not finished, or it logged no model.
    """
    with answered(f"runs of experiment {experiment_id}"):
        found = (_named(tracking, run_id) if run_id else
                 _newest_with_model(tracking, experiment_id) if with_model else
                 _newest(tracking, experiment_id, ""))
    if found is None:
        raise BadInput(f"experiment {experiment_id} has no finished run"
                       f"{' with a model' if with_model else ' of entry point main'}; "
                       "start one with run.py first.")
    if with_model and found.model_id is None:
        raise BadInput(f"run {found.run_id} logged no model; expected a run that trained one.")
    return found


def last_approved(tracking: Tracking, experiment: str, but: str) -> Candidate | None:
    """The newest run of an experiment that the gate passed, except `but`; None if there is none."""
    client = tracking.client()
    with answered(f"experiment {experiment}"):
        found = client.get_experiment_by_name(experiment)
        if found is None:
            return None
        return _newest(tracking, found.experiment_id, " AND tags.gate = 'passed'", but)


def by_metrics(candidate: Candidate, approved: Candidate | None) -> Comparison:
    """The comparison of a project without a model: each metric of both runs."""
    other = approved.metrics if approved else {}
    return Comparison(
        Model(candidate.uri), Model(approved.uri) if approved else None,
        tuple(Measured(name, _finite(value), _finite(other.get(name)))
              for name, value in candidate.metrics.items()))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _named(tracking: Tracking, run_id: str) -> Candidate:
    run = tracking.client().get_run(run_id)
    if run.info.status != FINISHED:
        raise BadInput(f"run {run_id} is {run.info.status}; expected a run that is {FINISHED}.")
    return _candidate(tracking, run)


def _newest_with_model(tracking: Tracking, experiment_id: str) -> Candidate | None:
    models = tracking.client().search_logged_models(
        [experiment_id], max_results=LOOKED_THROUGH,
        order_by=[{"field_name": "creation_timestamp", "ascending": False}])
    for run_id in dict.fromkeys(model.source_run_id for model in models if model.source_run_id):
        run = tracking.run(run_id)
        if run.info.status == FINISHED and run.info.lifecycle_stage == "active":
            return _candidate(tracking, run)
    return None


def _newest(tracking: Tracking, experiment_id: str, condition: str,
            but: str = "") -> Candidate | None:
    runs = tracking.client().search_runs(
        [experiment_id], f"attributes.status = '{FINISHED}' AND "
        f"tags.`mlflow.project.entryPoint` = 'main'{condition}",
        order_by=["attributes.start_time DESC"], max_results=LOOKED_THROUGH)
    found = next((run for run in runs if run.info.run_id != but), None)
    return _candidate(tracking, found) if found else None


def _candidate(tracking: Tracking, run: Run) -> Candidate:
    models = tracking.client().search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'", max_results=1,
        order_by=[{"field_name": "creation_timestamp", "ascending": False}])
    return Candidate(run.info.run_id, models[0].model_id if models else None, run.data.params,
                     run.data.metrics, run.data.tags)
