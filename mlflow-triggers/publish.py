"""Release this commit: `publish.py --on TARGET` publishes its wheel with the gate's verdict."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

try:
    import click

    from branchline.ci.identify import current_branch, started_by
    from branchline.cli.exit import run_command
    from branchline.config import targets
    from branchline.config.deploy_file import read_deploy_file
    from branchline.deploy import release
    from branchline.deploy.gate_result import gate_result
    from branchline.gate.run import MAIN
    from branchline.platforms.base import production_at
    from branchline.runs import start as triggering
    from branchline.runs.registry import model_name
    from branchline.wheels import smoke
    from branchline.wheels.build import build, project_name
    from branchline.wheels.publish import publish
except ModuleNotFoundError as missing:
    sys.exit(f"publish.py: {missing.name} is not installed in {sys.executable}; run `make setup`, "
             "then `. .venv/bin/activate`.")

ROOT = Path(__file__).resolve().parents[1]
TRIGGERS = ROOT / "mlflow-triggers"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the run was judged, and the wheel goes: a name in targets.yml.")
@click.option("--run", "run_id", metavar="RUN",
              help="The judged run; without it main's newest on this commit.")
@click.option("--override", metavar="REASON",
              help="Publish although the gate did not pass the commit; the reason is recorded.")
@click.option("--branch", "named", metavar="NAME",
              help="The branch to release; without it the CI's variables and git tell.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(target_name: str, run_id: str | None, override: str | None, named: str | None,
            debug: bool) -> None:
    """Build the wheel of this commit, try it, publish it, and record its release.

    \b
    Exit codes: 0 released, now or before; 2 something given cannot be used, the version is taken
    by other bytes, or the wheel does not import; 4 the gate did not pass the commit; 5 the
    workspace did not answer or permit it.
    """
    target = targets.read_target(TRIGGERS / "targets.yml", target_name)
    project = read_deploy_file(TRIGGERS / "deploy.yml").project
    ours = current_branch(ROOT, named, os.environ)
    source, name = release.clean_source(ROOT), project_name(ROOT)
    place = triggering.platform_of(target, ROOT, os.environ)
    wheels = production_at(place, ROOT).wheels
    if found := release.look_up(name, source.version, wheels):
        return _show(found, f"released before, by {found.by} at {found.at}; nothing to do")
    verdict = gate_result(place.tracking, MAIN.experiment(target.experiment_root, project),
                          source.version, source.commit or "", model_name(target, project), run_id)
    release.require_passed(verdict, source.commit or "", override)
    with tempfile.TemporaryDirectory(prefix="branchline-release-") as scratch:
        wheel = build(ROOT, Path(scratch))
        count = smoke.imports(wheel, ROOT)
        published = publish(wheel, wheels)
    found = release.record(published, name, source, ours.name, verdict, override,
                           started_by(os.environ), wheels)
    _show(found, f"{count} modules import in a clean environment")


def _show(found: release.Release, line: str) -> None:
    print(f"release    {found.version}, {line}\n"
          f"gate       {found.gate['outcome']}: {found.gate['line']}\n"
          f"model      {found.model or 'none registered'}"
          + (f"\noverride   {found.override}" if found.override else "")
          + f"\nwheel      {found.published.reference}\nsha256     {found.published.sha256}")


if __name__ == "__main__":
    run_command(command)
