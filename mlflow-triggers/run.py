"""Start an MLflow project in the experiment of this branch: `run.py PROJECT --on TARGET`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

try:
    import click

    from branchline import branch, launch, source, summary, targets, tracking
    from branchline.command_line import run_command
    from branchline.errors import BadInput
    from branchline.projects import find_project
except ModuleNotFoundError as missing:
    sys.exit(f"run.py: {missing.name} is not installed in {sys.executable}; run `make setup`, "
             "then `. .venv/bin/activate`.")

ROOT = Path(__file__).resolve().parents[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("project", required=False)
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where to run: a name in targets.yml.")
@click.option("-e", "--entry-point", default="main", show_default=True,
              help="The entry point: main for the whole project, or one step.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter of the entry point; repeat for more.")
@click.option("--wheel", type=click.Path(path_type=Path), metavar="FILE",
              help="Run with this wheel (here in a fresh environment), without the source tree.")
@click.option("--live", is_flag=True,
              help="Run the sources as they are now from a workspace folder, without a wheel.")
@click.option("--no-wait", is_flag=True, help="Leave when the workspace has taken the run.")
@click.option("--attach", metavar="RUN", help="Follow a run submitted earlier, by its MLflow id.")
@click.option("--branch", "named", metavar="NAME",
              help="The branch to run for; without it the CI's variables and git tell.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(project: str | None, target_name: str, entry_point: str, given: tuple[str, ...],
            wheel: Path | None, live: bool, no_wait: bool, attach: str | None, named: str | None,
            debug: bool) -> None:
    """Start the MLflow project PROJECT in the experiment named after the branch.

    \b
    Exit codes: 0 the run succeeded, 2 something given cannot be used, 3 the run failed,
    5 the workspace did not answer or permit it, 130 interrupted (the run is marked KILLED).
    """
    target = targets.read_target(ROOT / "mlflow-triggers" / "targets.yml", target_name)
    remote_only = [name for name, asked in
                   (("--live", live), ("--no-wait", no_wait), ("--attach", attach)) if asked]
    if remote_only and isinstance(target, targets.LocalTarget):
        raise BadInput(f"{remote_only[0]}: is for a workspace; target {target.name} is this "
                       "machine.")
    if isinstance(target, targets.WorkspaceTarget) and attach:
        return _attach(target, attach)
    if project is None:
        raise click.UsageError("Missing argument 'PROJECT'.")
    if wheel and live:
        raise BadInput("--wheel and --live: expected one of them.")
    found = find_project(project, ROOT / "mlflow-notebooks")
    point = found.entry_point(entry_point)
    ours = branch.current(ROOT, named, os.environ)
    places = {name: value for name, value in target.parameters(ours, ROOT).items()
              if name in point.parameters}
    here = isinstance(target, targets.LocalTarget)
    values = point.check(places | _pairs(given), here)
    request = launch.Request(ROOT, found, entry_point, values, ours, wheel, live)
    if isinstance(target, targets.LocalTarget):
        _here(target, request)
    else:
        _there(target, request, wait=not no_wait)


def _here(target: targets.LocalTarget, request: launch.Request) -> None:
    tags = _tags(request, "local")
    store = tracking.connect(target, ROOT, os.environ)
    experiment = request.branch.experiment(target.experiment_root, request.project.name)
    experiment_id = store.experiment(experiment)
    run_id = store.start(experiment_id, request.entry_point, tags, request.parameters)
    summary.show_start(request, target.name, experiment, run_id)
    launch.launch(request, store, experiment_id, run_id)
    summary.show_end(store, run_id)
    summary.show_next(request.project, request.entry_point)


def _there(target: targets.WorkspaceTarget, request: launch.Request, wait: bool) -> None:
    from branchline.databricks import remote
    tags = _tags(request, "databricks-jobs")
    workspace = remote.sign_in(target, os.environ, summary.narrator())
    experiment = request.branch.experiment(target.experiment_root, request.project.name)
    experiment_id = workspace.experiment(experiment)
    run_id = workspace.tracking.start(experiment_id, request.entry_point, tags, request.parameters)
    summary.show_start(request, target.name, experiment, run_id)
    workspace.launch(request, experiment_id, run_id, tags, wait)
    if wait:
        summary.show_end(workspace.tracking, run_id)
    else:
        print(f"\nfollow it  python mlflow-triggers/run.py --on {target.name} --attach {run_id}")


def _attach(target: targets.WorkspaceTarget, run_id: str) -> None:
    from branchline.databricks import remote
    workspace = remote.sign_in(target, os.environ, summary.narrator())
    workspace.attach(run_id)
    summary.show_end(workspace.tracking, run_id)


def _tags(request: launch.Request, backend: str) -> dict[str, str]:
    return launch.tags(request, source.source_of(ROOT), source.started_by(os.environ), backend)


def _pairs(given: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadInput(f"-P {text}: expected NAME=VALUE.")
        if name in pairs:
            raise BadInput(f"-P {name}: given twice.")
        pairs[name] = value
    return pairs


if __name__ == "__main__":
    run_command(command)
