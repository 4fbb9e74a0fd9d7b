"""List, and with --yes remove, what branches left that no longer exist: `clean.py --merged`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

try:
    import click

    from branchline.cli.exit import run_command
    from branchline.config import targets
    from branchline.errors import BadInput
    from branchline.runs import stale_branches as branch_life, summary
    from branchline.wheels.build import project_name
except ModuleNotFoundError as missing:
    sys.exit(f"clean.py: {missing.name} is not installed in {sys.executable}; run `make setup`, "
             "then `. .venv/bin/activate`.")

ROOT = Path(__file__).resolve().parents[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--merged", is_flag=True, required=True,
              help="What is left of branches that the git remote no longer has.")
@click.option("--on", "target_name", default="dev", show_default=True,
              help="Where: a workspace in targets.yml.")
@click.option("--yes", is_flag=True, help="Remove it; without, it is only listed.")
@click.option("--protect", "protected", multiple=True, default=("main", "master", "release/*"),
              show_default=True, metavar="PATTERN", help="Branches that are kept in any case.")
@click.option("--keep", default=10, show_default=True, help="The newest wheels, kept in any case.")
@click.option("--remote", default="origin", show_default=True, help="The git remote.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(merged: bool, target_name: str, yes: bool, protected: tuple[str, ...], keep: int,
            remote: str, debug: bool) -> None:
    """List experiments, schemas and wheels of branches that no longer exist on the remote.

    \b
    Never those of a protected branch, of a fork or a tag, or with a run that is still active.
    """
    target = targets.read_target(ROOT / "mlflow-triggers" / "targets.yml", target_name)
    if not isinstance(target, targets.WorkspaceTarget):
        raise BadInput(f"target {target.name} is this machine; expected a workspace.")
    alive = branch_life.remote_branches(ROOT, remote)
    from branchline.platforms.databricks import leftovers as cleaning, platform as workspaces
    workspace = workspaces.sign_in(target, os.environ, summary.narrator())
    found = cleaning.experiments(target, workspace.tracking)
    gone = branch_life.gone(found, alive, ("main", *protected))
    kept = [experiment for experiment in found if experiment not in gone]
    count = 0
    for leftover in cleaning.leftovers(target, workspace.client, workspace.tracking, gone, kept,
                                       project_name(ROOT), keep):
        print(f"{'removing' if yes else 'would remove'}  {leftover.what}", flush=True)
        if yes:
            leftover.remove()
        count += 1
    print(f"{count} {'removed' if yes else 'to remove; --yes removes them'}, "
          f"{len(kept)} experiments kept")


if __name__ == "__main__":
    run_command(command)
