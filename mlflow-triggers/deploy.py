"""Deploy releases: `deploy.py plan`, then `apply` what was approved; `check` and `rollback`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

try:
    import click

    from branchline.ci import output as ci
    from branchline.ci.identify import started_by
    from branchline.cli.exit import run_command
    from branchline.config import targets
    from branchline.config.deploy_file import DeployFile, read_deploy_file
    from branchline.config.mlproject import Project, find_project
    from branchline.config.targets import Target
    from branchline.deploy import apply as deployment, evidence, plan as planning, release
    from branchline.deploy.differences import drift
    from branchline.deploy.journal import Journal
    from branchline.errors import BadInput
    from branchline.platforms.base import Production, production_at
    from branchline.runs import start as triggering
    from branchline.runs.registry import model_name
    from branchline.wheels.build import project_name
    from branchline.wheels.destinations import Destination
    from branchline.wheels.source import source_of
except ModuleNotFoundError as missing:
    sys.exit(f"deploy.py: {missing.name} is not installed in {sys.executable}; run `make setup`, "
             "then `. .venv/bin/activate`.")

ROOT = Path(__file__).resolve().parents[1]
TRIGGERS = ROOT / "mlflow-triggers"
FOLDER = ROOT / ".local" / "evidence"


@dataclass(frozen=True)
class Opened:
    """What every command works with: deploy.yml, and the production that `--to` names."""

    file: DeployFile
    project: Project
    releasing: Target
    production: Production
    journal: Journal
    by: str

    @property
    def source(self) -> Destination:
        return self.production.releases(self.releasing)


def opened(target_name: str) -> Opened:
    file = read_deploy_file(TRIGGERS / "deploy.yml")
    target = targets.read_target(TRIGGERS / "targets.yml", target_name)
    releasing = targets.read_target(TRIGGERS / "targets.yml",
                                    file.where(target_name).releases or target_name)
    project = find_project(file.project, ROOT / "mlflow-notebooks")
    production = production_at(triggering.platform_of(target, ROOT, os.environ), ROOT)
    return Opened(file, project, releasing, production,
                  Journal(project_name(ROOT), production.wheels), started_by(os.environ))


to = click.option("--to", "target_name", default="local", show_default=True,
                  help="The production: a name in targets.yml.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(debug: bool) -> None:
    """Deploy a release to production, and take it back.

    \b
    Exit codes: 0 done, now or before; 2 something given cannot be used, 3 a job failed its check,
    4 not what was approved, 5 the workspace did not answer or permit it, 130 interrupted. A command
    that failed half-way finishes its work when it is run again.
    """


@command.command()
@to
@click.option("--version", help="The release; without it the newest of main.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter of all jobs; repeat for more.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="The tests' results, as JUnit XML.")
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, metavar="FOLDER",
              help="Where to write the evidence; without it .local/evidence.")
def plan(target_name: str, version: str | None, given: tuple[str, ...], junit: Path | None,
         out: Path) -> None:
    """Write the evidence of a deployment: what would change, and what speaks for it."""
    parameters, tests = triggering.pairs(given), evidence.junit(junit) if junit else None
    here = opened(target_name)
    deployment.require_finished(here.journal.newest())
    chosen = planning.chosen_release(here.journal, here.source, version, source_of(ROOT).version)
    found = planning.plan(
        here.production, here.journal, here.file, here.project, chosen, here.source,
        model_name(here.releasing, here.project.name),
        planning.Asked(ROOT, here.by, parameters, tests))
    checksum = evidence.write_bundle(found, release.picture_of(chosen, here.source), out)
    _show(found)
    folder = "" if out == FOLDER else f" --from {out}"
    print(f"\nlook at    {out / 'evidence.html'}\nsha256     {checksum}\n"
          f"next       python mlflow-triggers/deploy.py apply --to {target_name} "
          f"--evidence {checksum}{folder}")
    ci.set_output("evidence", checksum, os.environ)


@command.command()
@to
@click.option("--evidence", "checksum", required=True, metavar="SHA256",
              help="The checksum that `plan` printed, of what was approved.")
@click.option("--from", "folder", type=click.Path(path_type=Path), default=FOLDER,
              metavar="FOLDER", help="Where the evidence is; without it .local/evidence.")
def apply(target_name: str, checksum: str, folder: Path) -> None:
    """Make production what the evidence says: jobs, model, and the record of it."""
    approved = evidence.read_bundle(folder, checksum.lower(), target_name)
    here = opened(target_name)
    deployment.apply(here.production, here.journal, approved, checksum.lower(), here.project,
                     here.source, here.by, print)


@command.command()
@to
@click.option("--of", "checksum", metavar="SHA256",
              help="Only if the newest deployment is that of this evidence, as CI wants it.")
def rollback(target_name: str, checksum: str | None) -> None:
    """Go back to what production was before the newest deployment."""
    here = opened(target_name)
    deployment.rollback(here.production, here.journal, here.by, print, checksum)


@command.command()
@to
def check(target_name: str) -> None:
    """Run the deployed jobs now: those marked in deploy.yml, else all."""
    here = opened(target_name)
    deployed = here.journal.in_place().state.jobs
    if not deployed:
        raise BadInput(f"target {target_name}: nothing is deployed; expected a deployment to check")
    for name in [name for name in here.file.checked if name in deployed] or deployed:
        print(f"job {name}", flush=True)
        here.production.run(name)
        print(f"job {name} works")


@command.command()
@to
def status(target_name: str) -> None:
    """Say what is deployed, and what was changed by hand since."""
    here = opened(target_name)
    newest, in_place = here.journal.newest(), here.journal.in_place()
    print(newest.line if newest else "nothing is deployed yet")
    print(f"wheel      {in_place.state.version or 'none'}\n"
          f"model      {in_place.state.model or 'none'}")
    for name, settings in in_place.state.jobs.items():
        changed = drift(settings, here.production.actual(name) or {})
        print(f"job        {name}" + (f", changed: {changed[0].path}" if changed else ""))


def _show(found: dict[str, Any]) -> None:
    print(f"deploy     {found['state']['version']} to {found['target']}")
    for each in found["changes"]:
        print(f"  {each['path']}: {each['was']} -> {each['becomes']}")


if __name__ == "__main__":
    run_command(cast(click.Command, command))
