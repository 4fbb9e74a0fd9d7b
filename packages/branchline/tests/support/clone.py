"""The commands of README and docs/running.md, started in a fresh clone of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUNNING = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
COMMANDS = [line.removeprefix("$ ")
            for block in re.findall(r"```console\n(.*?)```", README + RUNNING, re.S)
            for line in block.splitlines()]
# With the uv that `make setup` puts into .uv where the machine has none.
PATH = f"{os.environ['PATH']}{os.pathsep}{ROOT / '.uv' / 'bin'}"
# They belong to this test run or its build: a user's shell has none of them.
OURS = ("MLFLOW_", "VIRTUAL_ENV", "COV_", "PYTEST_", "BUILD_", "SYSTEM_", "GITHUB_", "CI_", "MAKE",
        "MFLAGS")


def run_readme(folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A clone in `folder`, and a user's shell after running all commands but `make test` there."""
    made = clone(folder / "clone")
    commands = "\n".join(command for command in COMMANDS if command != "make test")
    try:
        return made, _in_a_shell(commands, made)
    finally:
        _in_a_shell(".venv/bin/branchline engine stop", made)


def _in_a_shell(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-euc", commands], cwd=folder, env=a_persons_shell(),
                          capture_output=True, text=True)


def a_persons_shell(*without: str) -> dict[str, str]:
    """The variables of this process, except ours and those that begin with one of these names."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith((*OURS, *without))}


def clone(folder: Path) -> Path:
    """The repository as it would be committed now, without anything that is ignored."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    files = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    for name in files:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "-C", str(folder), "checkout", "-q", "-B", "a-feature"], check=True)
    return folder
