"""How every command ends: one line on stderr and the error's exit code; a traceback on --debug."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from branchline.errors import BranchlineError
from branchline.text import one_line, protected_output

__all__ = ["INTERRUPTED", "run_command"]

INTERRUPTED = 130


def run_command(command: click.Command, context: Any = None) -> NoReturn:
    """Run a click command to its end and leave the process with its exit code.

    Args:
        context: the object that the command finds in its click context.
    """
    with protected_output():
        _run(command, context, "--debug" in sys.argv, sys.argv[0].rpartition("/")[2])


def _run(command: click.Command, context: Any, debug: bool, name: str) -> NoReturn:
    try:
        command.main(standalone_mode=False, obj=context)
    except KeyboardInterrupt:
        _leave(f"{name}: interrupted", INTERRUPTED)
    except click.exceptions.Abort:
        _leave(f"{name}: interrupted", INTERRUPTED)
    except click.ClickException as problem:
        _leave(f"{name}: {problem.format_message()} See {name} --help.", problem.exit_code)
    except BranchlineError as problem:
        if debug:
            raise
        _leave(f"{name}: {problem}", problem.exit_code)
    except Exception as problem:
        if debug:
            raise
        text = str(problem) or "no text"
        _leave(f"{name}: {type(problem).__name__}: {text} (--debug shows where)", 1)
    sys.exit(0)


def _leave(line: str, code: int) -> NoReturn:
    print(one_line(line), file=sys.stderr)
    sys.exit(code)
