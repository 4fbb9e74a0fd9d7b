"""From a candidate to a recorded verdict: compare, judge, log to its run, register what passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from branchline.branch import Branch
from branchline.config.gate_policy import Policy
from branchline.config.mlproject import Project
from branchline.errors import RunFailed
from branchline.gate.candidates import Candidate
from branchline.gate.comparison import ARTIFACT, Comparison
from branchline.gate.picture import picture
from branchline.gate.verdict import Verdict
from branchline.platforms.base import Platform
from branchline.runs.answers import answered
from branchline.runs.registry import Registered, Registry
from branchline.runs.request import Asked, request
from branchline.runs.start import start
from branchline.runs.tracking import Tracking
from branchline.text import collapsed

__all__ = ["COMPARE", "Comparing", "log_verdict", "register",
           "undecidable_if_it_fails", "write_page"]

COMPARE = "compare"
TAG = 500  # characters of a reason in a run's tag


@dataclass(frozen=True)
class Comparing:
    """A project's compare step, where it runs and who started it; `wheels` as in `Request`."""

    root: Path
    platform: Platform
    project: Project
    branch: Branch
    environment: Mapping[str, str]
    wheels: tuple[Path, ...] = ()

    def run(self, candidate: Candidate, champion: Registered | None,
            policy: Policy) -> Comparison:
        """The comparison, on the data and days of the candidate's own run.

        Raises:
            RunFailed: the step failed, or logged no comparison.
        """
        accepted = self.project.entry_point(COMPARE).parameters.keys() - {"steps"}
        given = {name: value for name, value in candidate.parameters.items() if name in accepted}
        given |= {"model_uri": candidate.uri, "champion_uri": champion.uri if champion else "",
                  "draws": str(policy.draws), "seed": str(policy.seed)}
        asked = request(self.root, self.platform.target, self.project, self.branch,
                        Asked(COMPARE, given, self.wheels))
        return _comparison(self.platform.tracking, start(self.platform, asked, self.environment))


def _comparison(tracking: Tracking, run_id: str) -> Comparison:
    import mlflow
    from mlflow.exceptions import MlflowException
    artifacts = tracking.run(run_id).info.artifact_uri
    try:
        return Comparison.from_json(mlflow.artifacts.load_text(f"{artifacts}/{ARTIFACT}"))
    except (MlflowException, OSError) as problem:
        raise RunFailed(f"run {run_id} of {COMPARE} has no {ARTIFACT} "
                        f"({collapsed(problem)}); expected the project to log one."
                        ) from None


def log_verdict(tracking: Tracking, candidate: Candidate, verdict: Verdict,
                comparison: Comparison) -> None:
    """Log the verdict, its picture, and the differences to the candidate's run, and tag it."""
    client, run_id = tracking.client(), candidate.run_id
    with answered(f"verdict on run {run_id}"):
        client.log_text(run_id, verdict.to_json(), "gate/verdict.json")
        client.log_text(run_id, verdict.to_markdown(), "gate/verdict.md")
        client.log_text(run_id, comparison.to_json(), ARTIFACT)
        if drawn := picture(verdict):
            client.log_figure(run_id, drawn, "gate/verdict.png")
        for each in comparison.measures:
            if each.candidate is not None and each.champion is not None:
                client.log_metric(run_id, f"gate/{each.name}_difference",
                                  each.candidate - each.champion)
        _tag(tracking, run_id, "passed" if verdict.passed else "refused", verdict.line)


@contextmanager
def undecidable_if_it_fails(tracking: Tracking, candidate: Candidate) -> Iterator[None]:
    """Tag the candidate's run `gate=undecidable` with the reason if the block cannot judge it."""
    try:
        yield
    except Exception as problem:
        with suppress(Exception):  # the store itself may be what fails
            _tag(tracking, candidate.run_id, "undecidable", str(problem))
        raise


def _tag(tracking: Tracking, run_id: str, outcome: str, reasons: str) -> None:
    client = tracking.client()
    client.set_tag(run_id, "gate", outcome)
    client.set_tag(run_id, "gate.reasons", reasons[:TAG])


def register(platform: Platform, project: Project, candidate: Candidate,
             verdict: Verdict) -> Registered | None:
    """Register a model that passed as the challenger; None for a project without a model."""
    if candidate.model_id is None:
        return None
    registry = Registry(platform.tracking)
    version = registry.register(platform.target.model_name(project.name), candidate.model_id,
                                candidate.run_id, _lineage(candidate, verdict))
    registry.challenge(version.name, version.version)
    return version


def _lineage(candidate: Candidate, verdict: Verdict) -> dict[str, str]:
    """The tags that trace a version: run, commit, wheel, versions of input tables, verdict."""
    tables = {f"table_{name.removeprefix('table.').replace('.', '_')}": version
              for name, version in candidate.tags.items() if name.startswith("table.")}
    return {"run": candidate.run_id, "gate": "passed" if verdict.passed else "refused",
            "gate_reasons": verdict.line[:TAG], **tables,
            **{name: candidate.tags[name] for name in ("commit", "wheel_version", "branch")
               if name in candidate.tags}}


def write_page(path: Path, verdict: Verdict) -> None:
    """Write the verdict as Markdown for a CI page, with its picture beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = verdict.to_markdown()
    if drawn := picture(verdict):
        drawn.savefig(path.with_suffix(".png"))
        text += f"\n![Candidate minus champion]({path.with_suffix('.png').name})\n"
    path.write_text(text, encoding="utf-8")
