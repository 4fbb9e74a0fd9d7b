"""A project without a model: runs the deployed wheel on the candidate's input, and compares both.

The deployed version makes its results in a schema of its own, which is dropped afterwards. The
candidate's code measures them, as it measured the candidate's: both are judged alike.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from branchline.config.gate_policy import Policy, Replay
from branchline.config.mlproject import Project
from branchline.errors import BadInput, RunCancelled, RunFailed, TablesBusy
from branchline.gate.candidates import Candidate, by_metrics
from branchline.gate.comparison import Comparison, Model
from branchline.gate.outcomes import ARTIFACT, Outcomes
from branchline.gate.run import Comparing
from branchline.platforms.project_files import download
from branchline.runs.artifacts import artifact
from branchline.runs.request import Asked, request
from branchline.runs.start import start
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.destinations import Destination
from branchline.wheels.published import verified

__all__ = ["Deployed", "replayed"]

PINS = "pins"


@dataclass(frozen=True)
class Deployed:
    """A deployed version: its wheels and its project's files, and where these are kept."""

    name: str
    artifacts: tuple[Artifact, ...]
    wheels: Destination
    project: Destination


@dataclass(frozen=True)
class _Tables:
    """A schema for the champion's tables, and the tables that are read from elsewhere."""

    schema: str
    inputs: dict[str, str]

    @property
    def parameters(self) -> dict[str, str]:
        return {"schema": self.schema,
                PINS: ",".join(f"{table}={where}" for table, where in self.inputs.items())}


def replayed(at: Comparing, candidate: Candidate, deployed: Deployed | None,
             policy: Policy) -> Comparison:
    """The comparison of the candidate's outcomes with those of what is deployed.

    Raises:
        BadInput: the candidate's run measured nothing.
        RunFailed: the candidate's code cannot measure the champion's results.
    """
    from branchline.gate.paired import paired  # with NumPy, which --help does not need
    assert policy.replay
    ours = _outcomes(at, candidate.run_id)
    notes = {"inputs": ours.inputs, "draws": policy.draws, "seed": policy.seed}
    if deployed is None:
        return replace(by_metrics(candidate, None), data=ours.data, notes=notes)
    with _own_schema(at, ours) as tables:
        try:
            made = _run_deployed(at, candidate, deployed, policy.replay, tables)
        except (RunCancelled, TablesBusy):
            raise
        except (BadInput, RunFailed) as problem:  # what ran once may no longer run
            return replace(by_metrics(candidate, None), data=ours.data, notes=notes,
                           champion=Model(deployed.name, problem=str(problem)))
        judged = _judge(at, candidate, policy.replay, tables)
    theirs = _outcomes(at, judged)
    runs = [at.platform.tracking.run(run_id).data.metrics for run_id in (made, judged)]
    others = by_metrics(candidate, replace(candidate, metrics=runs[0] | runs[1])).measures
    measures = paired(ours, theirs, policy.draws, policy.seed)
    names = {each.name for each in measures}
    return Comparison(
        Model(candidate.uri), Model(deployed.name),
        (*measures, *(each for each in others if each.name not in names)), data=ours.data,
        notes=notes | {"champion_runs": [made, judged]})


def _outcomes(at: Comparing, run_id: str) -> Outcomes:
    content = artifact(at.platform.tracking.run(run_id), ARTIFACT)
    if content is None:
        raise BadInput(f"run {run_id}: has no {ARTIFACT}; expected a run of {at.project.name} with "
                       "its measuring step. Run the project first, with all steps.")
    return Outcomes.from_parquet(content)


@contextmanager
def _own_schema(at: Comparing, ours: Outcomes) -> Iterator[_Tables]:
    """A schema that no run has; it is dropped with all its tables."""
    schemas = at.platform.target.values(at.branch, at.root)["schema"]
    schema = f"{schemas}__gate_{uuid4().hex[:8]}"  # clean.py removes it if this process is killed
    try:
        yield _Tables(schema, dict(ours.inputs))
    finally:
        at.platform.drop_schema(schema)


def _run_deployed(at: Comparing, candidate: Candidate, deployed: Deployed, replay: Replay,
                  tables: _Tables) -> str:
    """The deployed wheels' own run, in an environment of its own; its id.

    It has its own defaults, and otherwise what the candidate's run was given.
    """
    with tempfile.TemporaryDirectory(prefix="branchline-champion-") as scratch:
        wheels = _fetched(deployed, Path(scratch))
        project = Project.read(download(deployed.project, Path(scratch, at.project.name)))
        accepted = project.entry_point(replay.run).parameters
        if PINS not in accepted:
            raise BadInput(f"its entry point {replay.run} has no parameter {PINS}: it was released "
                           "with a branchline that could not read another schema's tables.")
        defaults = at.project.entry_point("main").parameters
        given = {name: text for name, text in candidate.parameters.items()
                 if name in accepted and name != "steps"
                 and (name not in defaults or text != defaults[name].default)}
        return _started(at, project, Asked(replay.run, given | tables.parameters, wheels),
                        candidate)


def _fetched(deployed: Deployed, folder: Path) -> tuple[Path, ...]:
    wheels = [each for each in deployed.artifacts if each.kind == WHEEL]
    files = [folder / str(wheel.path).rpartition("/")[2] for wheel in wheels]
    for wheel, file in zip(wheels, files, strict=True):
        file.write_bytes(verified(wheel, deployed.wheels))
    return tuple(files)


def _judge(at: Comparing, candidate: Candidate, replay: Replay, tables: _Tables) -> str:
    """The candidate's code measures the champion's tables, with the candidate's parameters."""
    accepted = at.project.entry_point(replay.judge).parameters.keys() - {"steps"}
    given = {name: text for name, text in candidate.parameters.items() if name in accepted}
    return _started(at, at.project, Asked(replay.judge, given | tables.parameters, at.wheels),
                    candidate)


def _started(at: Comparing, project: Project, asked: Asked, candidate: Candidate) -> str:
    checked = request(at.root, at.platform.target, project, at.branch, asked)
    run_id = start(at.platform, checked, at.environment)
    at.platform.tracking.client().set_tag(run_id, "gate.candidate", candidate.run_id)
    return run_id
