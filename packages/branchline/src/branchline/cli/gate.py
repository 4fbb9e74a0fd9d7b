"""Compares a run with what is in production, and decides: the pull request's and main's gate."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from branchline.branch import MAIN, Branch
from branchline.ci.identify import current_branch
from branchline.ci.output import show_page
from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.deploy_file import read_deploy_file
from branchline.config.gate_file import read_policy
from branchline.config.gate_policy import Policy
from branchline.config.mlproject import Project
from branchline.deploy.champion import deployed
from branchline.errors import GateRefused
from branchline.gate import run as gate
from branchline.gate.candidates import Candidate, by_metrics, find_candidate, last_approved
from branchline.gate.comparison import Comparison
from branchline.gate.decide import decide
from branchline.gate.replay import Deployed, replayed
from branchline.gate.verdict import Verdict, show
from branchline.platforms.base import Platform
from branchline.platforms.find import open_platform
from branchline.runs.registry import Registry

__all__ = ["Options", "command", "judged"]


@click.command("gate", context_settings=options.help_names)
@click.argument("project")
@options.more_wheels
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the run is and the comparison runs: a name in targets.yml.")
@click.option("--run", "run_id", metavar="RUN",
              help="The run to decide on; by default the newest of the branch that fits.")
@click.option("--policy", "policy_path", type=click.Path(path_type=Path), metavar="FILE",
              help="The policy; by default gate.yml in the project's folder.")
@options.wheels
@options.branch
@options.summary
@options.debug
def command(debug: bool, **given: Any) -> None:
    """Decide on a finished run of PROJECT, by its model or, without one, by its metrics.

    On main, a model that passes is registered with the alias `challenger`.

    \b
    Exit codes: 0 passed, 4 refused; without a decision: 2 bad input, 3 the comparison failed,
    5 the workspace did not answer or permit it, 130 interrupted.
    """
    asked = Options(**given)
    verdict = judged(Repository.current(), asked)
    if not verdict.passed:
        raise GateRefused(f"{verdict.candidate} is {verdict.line}.")


@dataclass(frozen=True)
class Options:
    """The options of the command, by click's names."""

    project: str
    target_name: str
    run_id: str | None
    given_branch: str | None
    more_wheels: tuple[Path, ...] = ()
    policy_path: Path | None = None
    given_wheels: tuple[Path, ...] = ()
    page: Path | None = None


def judged(repository: Repository, asked: Options) -> Verdict:
    """The verdict on a run, which is shown, logged to the run and, on main, registered."""
    gate_of_run = _open(repository, asked)
    verdict = gate_of_run.decide(gate_of_run.candidate(asked.run_id))
    show(verdict)
    if asked.page:
        gate.write_page(asked.page, verdict)
        show_page(asked.page, os.environ)
    return verdict


def _open(repository: Repository, asked: Options) -> _Gate:
    target, project = repository.target(asked.target_name), repository.project(asked.project)
    policy = read_policy(asked.policy_path or project.folder / "gate.yml")
    branch = current_branch(repository.root, asked.given_branch, os.environ)
    wheels = options.wheel_files(asked.given_wheels, asked.more_wheels)
    platform = open_platform(target, repository.root, os.environ)
    return _Gate(repository, platform, project, branch, policy, wheels)


@dataclass(frozen=True)
class _Gate:
    """One call of the gate."""

    repository: Repository
    platform: Platform
    project: Project
    branch: Branch
    policy: Policy
    wheels: tuple[Path, ...]

    @property
    def _has_model(self) -> bool:
        return gate.COMPARE in self.project.entry_points

    def candidate(self, run_id: str | None) -> Candidate:
        tracking, root = self.platform.tracking, self.platform.target.experiment_root
        experiment = tracking.experiment(self.branch.experiment(root, self.project.name))
        found = find_candidate(tracking, experiment, run_id, self._has_model)
        print(f"candidate   run {found.run_id} of commit {found.tags.get('commit', 'none')}\n",
              flush=True)
        return found

    def decide(self, candidate: Candidate) -> Verdict:
        tracking = self.platform.tracking
        with gate.undecidable_if_it_fails(tracking, candidate):
            comparison = self._compared(candidate)
            verdict = decide(self.policy, comparison, datetime.now(timezone.utc))
            gate.log_verdict(tracking, candidate, verdict, comparison)
            if verdict.passed and self.branch == MAIN:
                gate.register(self.platform, self.project, candidate, verdict)
        return verdict

    def _compared(self, candidate: Candidate) -> Comparison:
        if self._has_model:
            return self._by_model(candidate)
        if self.policy.replay:
            return replayed(self._comparing, candidate, self._deployed(), self.policy)
        return self._by_metrics(candidate)

    def _by_model(self, candidate: Candidate) -> Comparison:
        name = self.platform.target.model_name(self.project.name)
        champion = Registry(self.platform.tracking).champion(name)
        return self._comparing.run(candidate, champion, self.policy)

    @property
    def _comparing(self) -> gate.Comparing:
        return gate.Comparing(self.repository.root, self.platform, self.project, self.branch,
                              os.environ, self.wheels)

    def _deployed(self) -> Deployed | None:
        """What is deployed from the releases that are published to this target."""
        file = read_deploy_file(self.project.folder / "deploy.yml")
        ours = self.platform.target.name
        found = deployed(self.repository.root, self.platform, self.project.name,
                         self.repository.target(file.taker_of(ours)))
        print(f"champion    {found.name if found else 'none yet'}\n", flush=True)
        return found

    def _by_metrics(self, candidate: Candidate) -> Comparison:
        main = MAIN.experiment(self.platform.target.experiment_root, self.project.name)
        return by_metrics(candidate,
                          last_approved(self.platform.tracking, main, candidate.run_id))
