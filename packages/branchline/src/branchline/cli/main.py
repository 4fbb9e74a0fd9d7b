"""The command `branchline`; its subcommands are the triggers in mlflow-triggers/."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from branchline.cli.exit import run_command
from branchline.cli.repository import Repository
from branchline.errors import BadInput

__all__ = ["COMMANDS", "main", "trigger"]

COMMANDS = {
    "run": "Start a project in the experiment of this branch.",
    "show": "Print rows of a table of the branch.",
    "diff": "Compare the tables of two branches.",
    "gate": "Compare a run with what is in production, and decide.",
    "image": "Build the images of a project's services.",
    "publish": "Release a commit: its wheels and images with the gate's verdict.",
    "deploy": "Plan, apply, check and roll back deployments.",
    "serve": "Serve a logged model over HTTP.",
    "score-stream": "Score a Kafka topic by a registered model, without Spark.",
    "backfill": "Fill the online store from the branch's tables.",
    "parity": "Compare what a stream scored with batch.",
    "alerts": "Evaluate a project's alerts, and list those that are open.",
    "retrain": "Train a project again if its policy says so.",
    "clean": "Remove the leftovers of branches that no longer exist.",
    "engine": "Keep a warm Spark for the local runs of this checkout.",
    "doctor": "Check what a run needs, before it starts.",
    "mlproject": "Check a project's MLproject file against its code, or write it.",
    "wheel": "Build the wheels of this checkout into dist/.",
}


class Commands(click.Group):
    """Loads a command only when it is called, since each imports much."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def main() -> NoReturn:
    """Run `branchline COMMAND` in the repository of the current folder."""
    _refuse_windows()
    run_command(Commands("branchline", context_settings={"help_option_names": ["-h", "--help"]},
                         help="From a feature branch to production, in one repository."))


def trigger(name: str, root: Path) -> NoReturn:
    """Run the command `name` in the repository at `root`, as mlflow-triggers/NAME.py does."""
    _refuse_windows()
    run_command(_command(name), Repository(root))


def _refuse_windows() -> None:
    if sys.platform == "win32":
        print("branchline: runs on Linux, macOS and, on Windows, in WSL 2; found Windows itself. "
              "Run it in WSL 2.", file=sys.stderr)
        sys.exit(BadInput.exit_code)


def _command(name: str) -> click.Command:
    command: click.Command = import_module(
        f"branchline.cli.{name.replace('-', '_')}").command
    return command


if __name__ == "__main__":
    main()
