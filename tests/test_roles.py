"""The commands of docs/maturity.md and docs/alerts.md: executed here, or by the README's test."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.clone import COMMANDS, ROOT, a_persons_shell, clone
from support.debian import program

PAGES = [(ROOT / "docs" / name).read_text() for name in ("maturity.md", "alerts.md")]
SHOWN = [line.removeprefix("$ ") for page in PAGES
         for block in re.findall(r"```console\n(.*?)```", page, re.S)
         for line in block.splitlines()]
SAYS = {"branchline alerts": "scores-drifted: psi of score",
        "branchline retrain": "retrain   yes\n  because drift: psi of score"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("roles") / "clone")


def test_every_role_has_commands_of_its_own() -> None:
    roles = re.split(r"^## ", PAGES[0], flags=re.M)[1:]
    assert [role.splitlines()[0] for role in roles] == [
        "Data scientist", "ML engineer", "Data engineer", "Back-end developer", "Operator"]
    assert all("```console\n$ " in role for role in roles)


@pytest.mark.parametrize("command", [each for each in dict.fromkeys(SHOWN)
                                     if each not in COMMANDS])
def test_a_command_that_the_readme_s_test_does_not_execute_works(
        checkout: Path, store: str, command: str) -> None:
    tools = Path(program("promtool", "prometheus")).parent
    shell = a_persons_shell()
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), shell["PATH"], str(tools)])
    done = subprocess.run(["bash", "-euc", command], cwd=checkout, capture_output=True, text=True,
                          env={**shell, "PATH": path, "MLFLOW_TRACKING_URI": store})
    assert done.returncode == 0 and done.stdout and not done.stderr, done.stdout + done.stderr
    assert all(text in done.stdout for begin, text in SAYS.items() if command.startswith(begin))
