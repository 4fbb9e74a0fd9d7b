"""Start an MLflow project in the experiment of this branch: `run.py PROJECT --on TARGET`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

try:
    import click

    from branchline.ci import output as ci
    from branchline.ci.identify import current_branch
    from branchline.cli.exit import run_command
    from branchline.config import targets
    from branchline.config.mlproject import find_project
    from branchline.errors import BadInput, RunFailed
    from branchline.runs import start as triggering, summary
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
@click.option("--summary", "page", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the result, or what failed, to this file and show it on the CI's page.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(project: str | None, target_name: str, entry_point: str, given: tuple[str, ...],
            wheel: Path | None, live: bool, no_wait: bool, attach: str | None, named: str | None,
            page: Path | None, debug: bool) -> None:
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
    ours = current_branch(ROOT, named, os.environ)
    request = triggering.request(ROOT, target, found, entry_point, triggering.pairs(given), ours,
                                 wheel, live)
    place = triggering.platform_of(target, ROOT, os.environ)
    try:
        run_id = triggering.start(place, request, os.environ, wait=not no_wait)
    except RunFailed as problem:
        if page and problem.run_id:
            _show_page(page, summary.to_markdown(place.tracking, problem.run_id, str(problem)))
        raise
    if no_wait:
        print(f"\nfollow it  python mlflow-triggers/run.py --on {target.name} --attach {run_id}")
        return
    summary.show_end(place.tracking, run_id)
    if isinstance(target, targets.LocalTarget):
        summary.show_next(found, entry_point)
    ci.set_output("run", run_id, os.environ)
    if page:
        _show_page(page, summary.to_markdown(place.tracking, run_id))


def _show_page(page: Path, text: str) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    ci.show_page(page, os.environ)


def _attach(target: targets.WorkspaceTarget, run_id: str) -> None:
    from branchline.platforms.databricks import platform as remote
    workspace = remote.sign_in(target, os.environ, summary.narrator())
    workspace.attach(run_id)
    summary.show_end(workspace.tracking, run_id)


if __name__ == "__main__":
    run_command(command)
