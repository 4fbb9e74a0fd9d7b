"""Starts the command with a trigger's name; says what to do if branchline is not installed."""

import sys
from pathlib import Path
from typing import NoReturn

__all__ = ["start"]

ROOT = Path(__file__).resolve().parents[1]


def start(name: str) -> NoReturn:
    """Run `branchline NAME` in the repository that this folder is in."""
    try:
        from branchline.cli.main import trigger
    except ModuleNotFoundError as missing:
        sys.exit(f"{name}.py: {missing.name} is not installed in {sys.executable}; run `make "
                 "setup`, then `. .venv/bin/activate`.")
    trigger(name, ROOT)
