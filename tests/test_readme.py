"""The README's commands, run in a fresh clone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Of this test run, or of the build that it is part of: a person's shell has none of them.
OURS = ("MLFLOW_", "VIRTUAL_ENV", "COV_", "PYTEST_", "BUILD_", "SYSTEM_", "GITHUB_", "CI_")
COMMANDS = [line.removeprefix("$ ") for block in re.findall(r"```console\n(.*?)```", README, re.S)
            for line in block.splitlines()]


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


def shell(folder: Path, commands: str) -> str:
    """What the commands say in a person's shell."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith(OURS)}
    done = subprocess.run(["bash", "-euc", commands], cwd=folder, env=variables,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stderr == ""
    return done.stdout


def test_the_readme_is_short_and_has_its_two_commands() -> None:
    assert len(README.splitlines()) < 150
    assert COMMANDS[:2] == ["make demo", "make test"]
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.spark
def test_the_readme_s_commands_work_in_a_fresh_clone(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    said = shell(folder, "\n".join(
        command for command in COMMANDS if command != "make test"))  # this is it
    assert "203,197 transactions" in said and "203,197 transactions" in README
    assert said.count("average_precision") == 2
    assert "/branchline/fraud-training/a-feature" in said
    pictures = list((folder / ".local" / "artifacts").rglob("*.png"))
    assert len(pictures) >= 2 * 12


def test_every_file_that_the_readme_points_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
