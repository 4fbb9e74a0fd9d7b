"""Judge a run against what is in production, by gate.yml: `gate.py PROJECT --on TARGET`."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

try:
    import click

    from branchline.ci import output as ci
    from branchline.ci.identify import current_branch
    from branchline.cli.exit import run_command
    from branchline.config import targets
    from branchline.config.gate_policy import read_policy
    from branchline.config.mlproject import find_project
    from branchline.errors import GateRefused
    from branchline.gate import run as gating
    from branchline.gate.candidates import by_metrics, find_candidate, last_approved
    from branchline.gate.decide import decide
    from branchline.gate.verdict import show
    from branchline.runs import start as triggering
    from branchline.runs.registry import Registry, model_name
except ModuleNotFoundError as missing:
    sys.exit(f"gate.py: {missing.name} is not installed in {sys.executable}; run `make setup`, "
             "then `. .venv/bin/activate`.")

ROOT = Path(__file__).resolve().parents[1]
TRIGGERS = ROOT / "mlflow-triggers"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("project")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the run is, and the comparison runs: a name in targets.yml.")
@click.option("--run", "run_id", metavar="RUN",
              help="The run to judge; without it the newest of the branch that fits.")
@click.option("--policy", "policy_path", type=click.Path(path_type=Path), metavar="FILE",
              help="The policy; without it gate.yml of the project, else of the triggers.")
@click.option("--wheel", type=click.Path(path_type=Path), metavar="FILE",
              help="Compare with this wheel, as in run.py.")
@click.option("--branch", "named", metavar="NAME",
              help="The branch to judge; without it the CI's variables and git tell.")
@click.option("--summary", "page", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the verdict as Markdown for the CI's page; its picture goes beside.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(project: str, target_name: str, run_id: str | None, policy_path: Path | None,
            wheel: Path | None, named: str | None, page: Path | None, debug: bool) -> None:
    """Judge a finished run of PROJECT: its model, or without one its metrics.

    On main, a model that passes is registered, with the alias `challenger`.

    \b
    Exit codes: 0 passed, 4 refused; not judged: 2 something given cannot be used, 3 the comparison
    failed, 5 the workspace did not answer or permit it, 130 interrupted.
    """
    target = targets.read_target(TRIGGERS / "targets.yml", target_name)
    found = find_project(project, ROOT / "mlflow-notebooks")
    policy = read_policy(policy_path or gating.policy_file(TRIGGERS, found.folder))
    ours = current_branch(ROOT, named, os.environ)
    place = triggering.platform_of(target, ROOT, os.environ)
    experiment = place.tracking.experiment(ours.experiment(target.experiment_root, project))
    with_model = gating.COMPARE in found.entry_points
    candidate = find_candidate(place.tracking, experiment, run_id, with_model)
    print(f"judging     run {candidate.run_id} of commit {candidate.tags.get('commit', 'none')}\n",
          flush=True)
    with gating.undecidable_if_it_fails(place.tracking, candidate):
        if with_model:
            champion = Registry(place.tracking).champion(model_name(target, project))
            comparing = gating.Comparing(ROOT, place, found, ours, os.environ, wheel)
            comparison = comparing.run(candidate, champion, policy)
        else:
            main = gating.MAIN.experiment(target.experiment_root, project)
            comparison = by_metrics(candidate, last_approved(place.tracking, main,
                                                             candidate.run_id))
        verdict = decide(policy, comparison, datetime.now(timezone.utc))
        gating.record(place.tracking, candidate, verdict, comparison)
        if verdict.passed and ours == gating.MAIN:
            gating.register(place, found, candidate, verdict)
    show(verdict)
    if page:
        gating.write_page(page, verdict)
        ci.show_page(page, os.environ)
    if not verdict.passed:
        raise GateRefused(f"run {candidate.run_id} is {verdict.line}.")


if __name__ == "__main__":
    run_command(command)
