"""A project without a model: its way to production, and its gate against what is there.

`make story` shows it to a person, after that of the first project.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse
from support.clone import PATH, clone
from support.processes import trigger
from support.workspaces import commit, git
from tests.terminal_watch.silver import fill

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SETTINGS, MLPROJECT = "src/terminal_watch/settings.py", "mlflow-notebooks/terminal-watch/MLproject"
Done = subprocess.CompletedProcess[str]


@dataclass
class Desk:
    """A team's checkout, with silver tables to watch; `variables` are those of its shell."""

    folder: Path
    variables: dict[str, str]

    def trigger(self, name: str, *arguments: str, expected: int = 0) -> Done:
        print(f"\n$ mlflow-triggers/{name}.py {' '.join(arguments)}", flush=True)
        done = trigger(name, *arguments, folder=self.folder, **self.variables)
        print(done.stdout + done.stderr, flush=True)
        assert done.returncode == expected, done.stdout + done.stderr
        return done

    def commit(self, message: str, *changes: tuple[str, str, str]) -> None:
        for file, old, new in changes:
            text = (self.folder / file).read_text()
            assert old in text, f"{file}: {old}"
            (self.folder / file).write_text(text.replace(old, new))
        git(self.folder, "commit", "--quiet", "--all", "--allow-empty", "--message", message)

    def gate(self, expected: int) -> Done:
        """The gate's decision on a new run of the commit."""
        self.trigger("run", "terminal-watch", "-P", "steps=watch,measure")
        return self.trigger("gate", "terminal-watch", expected=expected)

    def deploy(self) -> None:
        self.trigger("publish", "terminal-watch")
        planned = self.trigger("deploy", "plan", "terminal-watch", "-P", "data=simulated")
        found = re.search(r"--evidence ([0-9a-f]{64})", planned.stdout)
        assert found
        self.trigger("deploy", "apply", "terminal-watch", "--evidence", found[1])


@pytest.fixture(scope="module")
def desk(spark: Any, store: str, connect: str,
         tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """On main, whose run has passed the gate and whose release is deployed."""
    top = tmp_path_factory.mktemp("gated")
    folder = clone(top / "clone")
    git(folder, "checkout", "--quiet", "-B", "main")
    commit(folder)
    for schema in ("main", "another_threshold"):
        fill(Lakehouse(spark, str(folder / ".local" / "lakehouse"), schema))
    found = Desk(folder, {
        "MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect, "PATH": PATH,
        "PYTHONPATH": f"{folder}/src:{folder}/packages/branchline/src"})
    assert "champion    none yet" in found.gate(expected=0).stdout
    found.deploy()
    yield found


def test_a_change_that_finds_terminals_later_is_refused_and_one_that_finds_them_sooner_passes(
        desk: Desk) -> None:
    git(desk.folder, "checkout", "--quiet", "-B", "another-threshold", "main")
    desk.commit("Surer alerts", *threshold("8.0", "16.0"))
    refused = desk.gate(expected=4)
    assert "champion    deployment 1, version " in refused.stdout
    assert "is refused (fail: days_to_find difference +2.5000 (" in refused.stderr
    assert "floor" not in refused.stderr and no_schema_of_a_gate(desk)
    desk.commit("Earlier alerts", *threshold("16.0", "7.5"))
    passed = desk.gate(expected=0)
    assert passed.stdout.rstrip().endswith("verdict    passed")
    assert no_schema_of_a_gate(desk)


def threshold(old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    return ((SETTINGS, f"        {old}, ", f"        {new}, "),
            (MLPROJECT, f"default: {float(old):g}\n", f"default: {float(new):g}\n"))


def no_schema_of_a_gate(desk: Desk) -> bool:
    schemas = {folder.name for folder in (desk.folder / ".local" / "lakehouse").iterdir()}
    return len(schemas) >= 2 and not [name for name in schemas if "__gate_" in name]
