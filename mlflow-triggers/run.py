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
@click.argument("project")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where to run: a name in targets.yml.")
@click.option("-e", "--entry-point", default="main", show_default=True,
              help="The entry point: main for the whole project, or one step.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter of the entry point; repeat for more.")
@click.option("--wheel", type=click.Path(path_type=Path), metavar="FILE",
              help="Run in a fresh environment with this wheel, without the source tree.")
@click.option("--branch", "named", metavar="NAME",
              help="The branch to run for; without it the CI's variables and git tell.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(project: str, target_name: str, entry_point: str, given: tuple[str, ...],
            wheel: Path | None, named: str | None, debug: bool) -> None:
    """Start the MLflow project PROJECT in the experiment named after the branch.

    \b
    Exit codes: 0 the run succeeded, 2 something given cannot be used, 3 the run failed,
    130 interrupted (the run is marked KILLED).
    """
    target = targets.read_target(ROOT / "mlflow-triggers" / "targets.yml", target_name)
    found = find_project(project, ROOT / "mlflow-notebooks")
    point = found.entry_point(entry_point)
    ours = branch.current(ROOT, named, os.environ)
    places = {name: value for name, value in launch.place_values(target, ours, ROOT).items()
              if name in point.parameters}
    values = point.check(places | _pairs(given))
    request = launch.Request(ROOT, found, entry_point, values, ours, wheel)
    tags = launch.tags(request, source.source_of(ROOT), source.started_by(os.environ))
    store = tracking.connect(target, ROOT, os.environ)
    experiment = ours.experiment(target.experiment_root, found.name)
    experiment_id = store.experiment(experiment)
    run_id = store.start(experiment_id, entry_point, tags, values)
    summary.show_start(request, target.name, experiment, run_id)
    launch.launch(request, store, experiment_id, run_id)
    summary.show_end(store, run_id)
    summary.show_next(found, entry_point)


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
