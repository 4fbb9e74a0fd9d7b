"""Trains a project again if its policy says so; records every decision."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from branchline.branch import PRODUCTION, Branch
from branchline.ci.identify import current_branch, started_by
from branchline.cli import measured, options, publish
from branchline.cli.alerts import alerts_of, kept_alerts
from branchline.cli.gate import Options, judged
from branchline.cli.repository import Repository
from branchline.config.deploy_file import read_deploy_file
from branchline.config.mlproject import Project
from branchline.deploy.retraining_journal import RetrainingJournal
from branchline.errors import BadInput, GateRefused
from branchline.monitoring.measures import Measure
from branchline.monitoring.retraining import Decision, Known, Retraining, decide
from branchline.platforms.base import Platform
from branchline.platforms.find import open_platform
from branchline.runs.registry import Registry
from branchline.runs.request import Asked, request
from branchline.runs.start import start
from branchline.text import one_line
from branchline.wheels.pyproject import project_name

__all__ = ["command"]


@click.command("retrain", context_settings=options.help_names)
@click.argument("project")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where to train: a name in targets.yml.")
@click.option("--from", "measured_on", metavar="TARGET",
              help="Where production's measures and alerts are; by default where it trains.")
@click.option("--measures", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Measures as JSON lines; by default those in gold.monitoring_measures.")
@click.option("--dry-run", is_flag=True, help="Only say what would be decided; record nothing.")
@options.branch
@options.debug
def command(debug: bool, **given: Any) -> None:
    """Train PROJECT again if the `retraining` of its deploy.yml says so, and run the gate.

    \b
    Exit codes: 0 decided, and trained if it said so; 2 bad input, 3 a run failed, 4 the gate
    refused the new model, 5 the workspace did not answer or permit it, 130 interrupted.
    """
    asked = _Options(**given)
    this = _open(Repository.current(), asked)
    decision = decide(this.policy, this.known())
    _show(decision)
    if asked.dry_run:
        return
    number = this.journal.record(decision, this.policy.action, this.now, started_by(os.environ))
    print(f"recorded  decision {number}", flush=True)
    if decision.train:
        this.train(number)


@dataclass(frozen=True)
class _Options:
    """The options of the command, by click's names."""

    project: str
    target_name: str
    measured_on: str | None
    file: Path | None
    dry_run: bool
    given_branch: str | None


def _open(repository: Repository, asked: _Options) -> _Retraining:
    target, project = repository.target(asked.target_name), repository.project(asked.project)
    policy = read_deploy_file(project.folder / "deploy.yml").retraining
    if policy is None:
        raise BadInput(f"project {project.name}: its deploy.yml has no `retraining`; expected a "
                       "policy there (docs/alerts.md).")
    branch = current_branch(repository.root, asked.given_branch, os.environ)
    platform = open_platform(target, repository.root, os.environ)
    journal = RetrainingJournal(project_name(repository.root), project.name, platform.wheels)
    return _Retraining(repository, platform, project, branch, policy, journal, asked,
                       datetime.now(timezone.utc))


@dataclass(frozen=True)
class _Retraining:
    """One call of the command."""

    repository: Repository
    platform: Platform
    project: Project
    branch: Branch
    policy: Retraining
    journal: RetrainingJournal
    asked: _Options
    now: datetime

    def known(self) -> Known:
        last = self.journal.last_training()
        kept = kept_alerts(self.repository, self.project.name, PRODUCTION.slug,
                           self._measuring.wheels) if self.policy.alerts else None
        return Known(self.now, tuple(self._measures()), alerts_of(kept) if kept else (),
                     last.at if last else None, bool(last and last.failed),
                     bool(last and last.outcome is None), self._champion_trained())

    def train(self, number: int) -> None:
        """Train, let the gate decide, and do what the policy says; the outcome is recorded.

        Raises:
            GateRefused: the new model is not good enough.
        """
        about: dict[str, Any] = {}
        try:
            about["run"] = start(self.platform, request(
                self.repository.root, self.platform.target, self.project, self.branch,
                Asked("main", self.policy.parameters)), os.environ)
            verdict = judged(self.repository, Options(
                self.project.name, self.platform.target.name, about["run"], self.branch.name))
        except BaseException as problem:
            self.journal.finish(number, "failed", {**about, "line": one_line(str(problem))})
            raise
        # Before a release is tried: without one, the training counts all the same.
        self.journal.finish(number, "passed" if verdict.passed else "refused",
                            {**about, "line": verdict.line})
        if not verdict.passed:
            raise GateRefused(f"{verdict.candidate} is {verdict.line}.")
        if self.policy.action == "release":
            self._release(about["run"])

    def _release(self, run_id: str) -> None:
        """Open a release for approval.

        Raises:
            BadInput: the commit was released before, with another model.
        """
        made = publish.release(self.repository, self.platform, self.project,
                               publish.Asked(self.branch, run_id))
        version = Registry(self.platform.tracking).of_run(
            self.platform.target.model_name(self.project.name), run_id)
        if version is None or not (made.model or "").endswith(f"/{version}"):
            raise BadInput(f"release {made.version}: has model {made.model}, and a release never "
                           "changes; the new model is the challenger. Make a commit "
                           "(`git commit --allow-empty`), and CI releases it.")
        print(f"next      python mlflow-triggers/deploy.py plan {self.project.name}", flush=True)

    @property
    def _measuring(self) -> Platform:
        if self.asked.measured_on is None:
            return self.platform
        target = self.repository.target(self.asked.measured_on)
        return open_platform(target, self.repository.root, os.environ)

    def _measures(self) -> list[Measure]:
        if self.asked.file:
            return measured.of_file(self.asked.file)
        if not self.policy.when:
            return []
        return measured.of_table(
            self.repository, self.asked.measured_on or self.asked.target_name,
            self.repository.project(self.policy.measures), PRODUCTION, self.policy.when.values())

    def _champion_trained(self) -> datetime | None:
        if self.policy.model_age_days is None:
            return None
        tracking = self.platform.tracking
        champion = Registry(tracking).champion(
            self.platform.target.model_name(self.project.name))
        if champion is None or champion.run_id is None:
            return None
        began = tracking.run(champion.run_id).info.start_time
        return datetime.fromtimestamp(began / 1000, timezone.utc)


def _show(decision: Decision) -> None:
    print(f"retrain   {'yes' if decision.train else 'no'}")
    for reason in decision.reasons or ("no condition of the policy holds",):
        print(f"  {'because' if decision.reasons else 'as'} {one_line(reason)}")
    for reason in decision.against:
        print(f"  but {one_line(reason)}", flush=True)
