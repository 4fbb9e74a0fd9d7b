"""Say before a run what would go wrong: `doctor.py` for this machine, `--on TARGET` for another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

try:
    import click

    from branchline.cli.exit import run_command
    from branchline.config import targets
    from branchline.errors import BadInput
    from branchline.platforms.local.checks import Finding, check_machine
except ModuleNotFoundError as missing:
    sys.exit(f"doctor.py: {missing.name} is not installed in {sys.executable}; run `make setup`, "
             "then `. .venv/bin/activate`.")

ROOT = Path(__file__).resolve().parents[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--on", "target_name", default="local", show_default=True,
              help="What to look at: a name in targets.yml.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(target_name: str, debug: bool) -> None:
    """Look at everything that a run needs, and tell what is missing with its remedy.

    \b
    Exit codes: 0 a run would start, 2 something is wrong.
    """
    target = targets.read_target(ROOT / "mlflow-triggers" / "targets.yml", target_name)
    wrong = _show(_findings(target))
    if wrong:
        raise BadInput(f"{wrong} of the above would make a run on {target.name} fail.")


def _findings(target: targets.Target) -> Iterable[Finding]:
    if isinstance(target, targets.LocalTarget):
        return check_machine(ROOT, os.environ)
    from branchline.platforms.databricks.checks import check_workspace
    return check_workspace(target, ROOT)


def _show(findings: Iterable[Finding]) -> int:
    """Print them as they come; how many of them hinder a run."""
    wrong = 0
    for found in findings:
        wrong += found.hinders
        print(f"{found.verdict:<6} {found.what:<18} {found.found}", flush=True)
        if found.remedy:
            print(f"{'':<25} -> {found.remedy}")
    return wrong


if __name__ == "__main__":
    run_command(command)
