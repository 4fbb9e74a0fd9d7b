"""Deploys releases: plan, apply what was approved, check, roll back, clean, status."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from branchline.ci.output import set_output
from branchline.cli import options
from branchline.cli.leftovers import remove
from branchline.cli.production import open_production
from branchline.deploy import apply as deployment, evidence, plan as planning, release_files
from branchline.deploy.differences import drift
from branchline.deploy.old_sets import KEPT, sets_by_need
from branchline.deploy.planned_services import actual_manifests, manifests
from branchline.deploy.readers import readers_line
from branchline.deploy.services import check_services
from branchline.errors import BadInput
from branchline.runs.request import pairs
from branchline.wheels.source import source_of

__all__ = ["command"]

EVIDENCE = Path(".local", "evidence")
project_argument = click.argument("project")
to = click.option("--to", "target_name", default="local", show_default=True,
                  help="The production: a name in targets.yml.")


@click.group("deploy", context_settings=options.help_names, no_args_is_help=False)
@options.debug
def command(debug: bool) -> None:
    """Deploy a release to production, and roll it back.

    \b
    Exit codes: 0 done, now or before; 2 bad input, 3 a job or a service failed its check, 4 not
    what was approved, or a canary was withdrawn, 5 the workspace or a cluster did not answer or
    permit it, 130 interrupted. A command that failed half-way finishes its work when it is run
    again.
    """


@command.command()
@project_argument
@to
@click.option("--version", help="The release; by default main's newest.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter of all jobs; repeat for more.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="The tests' results, as JUnit XML.")
@click.option("--out", type=click.Path(path_type=Path), default=EVIDENCE, show_default=True,
              metavar="FOLDER", help="Where to write the evidence.")
def plan(project: str, target_name: str, version: str | None, given: tuple[str, ...],
         junit: Path | None, out: Path) -> None:
    """Write the evidence of a deployment: what would change, verdict, tests."""
    parameters, tests = pairs(given), evidence.junit(junit) if junit else None
    production = open_production(project, target_name)
    deployment.require_finished(production.journal)
    chosen = planning.chosen_release(production, version, source_of(production.root).version)
    model_name = production.releasing.model_name(production.project.name)
    found = planning.plan(production, chosen, model_name, parameters, tests)
    picture = release_files.picture_of(chosen, production.source)
    checksum = evidence.write_bundle(found, picture, out)
    _show(found)
    folder = "" if out == EVIDENCE else f" --from {out}"
    print(f"\nlook at    {out / 'evidence.html'}\nsha256     {checksum}\n"
          f"next       python mlflow-triggers/deploy.py apply {project} --to {target_name} "
          f"--evidence {checksum}{folder}{' --breaking' if found['breaking'] else ''}")
    set_output("evidence", checksum, os.environ)


@command.command()
@project_argument
@to
@click.option("--evidence", "checksum", required=True, metavar="SHA256",
              help="The approved checksum, as `plan` printed it.")
@click.option("--from", "folder", type=click.Path(path_type=Path), default=EVIDENCE,
              show_default=True, metavar="FOLDER", help="Where the evidence is.")
@click.option("--breaking", is_flag=True,
              help="Although tables change in a way that those who read them notice.")
def apply(project: str, target_name: str, checksum: str, folder: Path, breaking: bool) -> None:
    """Bring production's jobs, services and model to what the evidence says; recorded in the
    journal."""
    approved = evidence.read_bundle(folder, checksum.lower(), target_name)
    production = open_production(project, target_name, changing="deploy apply")
    deployment.apply(production, approved, checksum.lower(), print, breaking)


@command.command()
@project_argument
@to
@click.option("--of", "checksum", metavar="SHA256",
              help="Only if this evidence is that of the newest deployment; CI passes it.")
def rollback(project: str, target_name: str, checksum: str | None) -> None:
    """Return production to its state before the newest deployment."""
    production = open_production(project, target_name, changing="deploy rollback")
    deployment.rollback(production, print, checksum)


@command.command()
@project_argument
@to
def check(project: str, target_name: str) -> None:
    """Run the deployed jobs now, those marked in deploy.yml, else all that end; ask the services.
    """
    production = open_production(project, target_name)
    state = production.journal.current().state
    deployed = state.jobs
    if not deployed:
        raise BadInput(f"target {target_name}: nothing is deployed; expected a deployment to check")
    always = {job.name for job in production.file.jobs if job.continuous}
    names = ([name for name in production.file.checked if name in deployed]
             or [name for name in deployed if name not in always])
    if not names:
        print("only continuous jobs are deployed: the platform keeps them running")
    for name in names:
        print(f"job {name}", flush=True)
        production.platform.jobs.run(name)
        print(f"job {name} works")
    check_services(production, state, print)


@command.command()
@project_argument
@to
@click.option("--keep", default=KEPT, show_default=True, type=click.IntRange(1),
              help="How many of the newest table sets are kept in any case.")
@click.option("--yes", is_flag=True, help="Remove them; by default they are only listed.")
def clean(project: str, target_name: str, keep: int, yes: bool) -> None:
    """List table sets of former deployments that no reader and no rollback needs."""
    production = open_production(project, target_name, changing="deploy clean" if yes else "")
    kept, old = sets_by_need(production, keep)
    count = remove(production.platform.kept_tables(old), yes)
    print(f"{count} {'removed' if yes else 'to remove; --yes removes them'}, kept: "
          f"{', '.join(kept) or 'none'}")


@command.command()
@project_argument
@to
def status(project: str, target_name: str) -> None:
    """Show what is deployed, and what has been changed by hand since."""
    production = open_production(project, target_name)
    newest, current = production.journal.newest(), production.journal.current()
    print(newest.line if newest else "nothing is deployed yet")
    for each in current.state.artifacts:
        print(f"{each.kind:<10} {each.name} {each.version if each.path else each.reference}")
    print(f"model      {current.state.model or 'none'}")
    if current.state.table_set:
        print(f"readers    {readers_line(production)}")
    for name, settings in current.state.jobs.items():
        changed = drift(settings, production.platform.jobs.actual(name) or {})
        print(f"job        {name}" + (f", changed: {changed[0].path}" if changed else ""))
    actual = actual_manifests(current.state)
    for name, settings in manifests(current.state).items():
        changed = drift(settings, actual[name] or {})
        if changed or "deployment/" in name:
            print(f"cluster    {name}" + (f", changed: {changed[0].path}" if changed else ""))


def _show(found: dict[str, Any]) -> None:
    print(f"deploy     {found['state']['version']} to {found['target']}")
    for each in found["changes"]:
        print(f"  {each['path']}: {each['was']} -> {each['becomes']}")
    for line in found["breaking"]:
        print(f"breaking   {line}")
    if found["tables_unknown"]:
        print(f"tables     not compared: {found['tables_unknown']}")
