"""Calls uv, which builds wheels and the environments to try them in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from branchline.errors import BadInput, NotInstalled

__all__ = ["find_uv", "uv"]


def find_uv(root: Path) -> str:
    """The uv in PATH, or the one that `make setup` put below `root`.

    Raises:
        NotInstalled: there is none.
    """
    program = shutil.which("uv") or shutil.which("uv", path=str(root / ".uv" / "bin"))
    if program is None:
        raise NotInstalled("uv: not found in PATH or .uv/; run `make setup`.")
    return program


def uv(root: Path, *command: str) -> None:
    """Run uv.

    Raises:
        NotInstalled: there is no uv.
        BadInput: it failed; the text has its last lines.
    """
    program = find_uv(root)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run([program, *command], capture_output=True, text=True, env=environment)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise BadInput(f"uv {command[0]} failed: {' '.join(said[-3:]) or 'no output'}")
