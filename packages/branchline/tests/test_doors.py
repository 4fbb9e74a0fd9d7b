"""The doors between the rooms: who may import whom, and what importing may not do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.cli.main import COMMANDS
from support.clone import ROOT

BRANCHLINE = ROOT / "packages" / "branchline" / "src" / "branchline"
# A room imports its own modules and those of the rooms behind it in this list.
ROOMS = ["cli", "deploy", "gate", "platforms", "kubernetes", "images", "entry", "pipeline", "diff",
         "readers", "show", "steps", "reuse", "runs", "wheels", "config", "ci", "parity",
         "streaming", "serving", "inference_log", "guardrails", "monitoring", "lakehouse", "spark",
         "features", "branch", "git", "table_sets", "records", "signals", "settings", "parameters",
         "text", "errors"]
# No room of runs knows them, nor they any of those.
APART = {"parity", "streaming", "serving", "inference_log", "guardrails", "monitoring", "lakehouse",
         "spark", "features"}
OF_RUNS = (set(ROOMS[:ROOMS.index("parity")])
           - {"entry", "pipeline", "diff", "readers", "show", "steps", "reuse"})
HEAVY = {"pyspark", "mlflow", "pandas", "numpy", "sklearn", "matplotlib", "fraud_detection",
         "databricks"}


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, but for typing alone."""
    tree = ast.parse(file.read_text())
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def imports(*folders: str) -> Iterator[tuple[str, str]]:
    """(file, imported module) for every import in the folders' Python files."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    assert files
    return ((str(file), name) for file in files for name in imported(file))


def room(file: Path) -> str:
    first = file.relative_to(BRANCHLINE).parts[0]
    return first.removesuffix(".py")


def arrows() -> set[tuple[str, str]]:
    """(room, other room that it imports), for the rooms of branchline."""
    return {(room(file), name.split(".")[1])
            for file in BRANCHLINE.rglob("*.py") for name in imported(file)
            if name.startswith("branchline.")
            and room(file) not in ("__init__", name.split(".")[1])}


def test_every_room_is_in_the_order() -> None:
    assert {room(file) for file in BRANCHLINE.rglob("*.py")} - {"__init__"} <= set(ROOMS)


def test_a_room_imports_only_rooms_below_it() -> None:
    assert [f"{one} -> {other}" for one, other in sorted(arrows())
            if ROOMS.index(one) > ROOMS.index(other)] == []


def test_lakehouse_features_and_spark_do_not_import_rooms_about_runs() -> None:
    assert [arrow for arrow in sorted(arrows()) if arrow[0] in APART and arrow[1] in OF_RUNS] == []


def test_the_platform_contract_imports_no_platform() -> None:
    for file in ("base.py", "checks.py", "project_files.py"):
        assert not {name for name in imported(BRANCHLINE / "platforms" / file)
                    if name.startswith(("branchline.platforms.local",
                                        "branchline.platforms.databricks"))}


@pytest.mark.parametrize(("one", "other"), [("local", "databricks"), ("databricks", "local")])
def test_platforms_do_not_import_each_other(one: str, other: str) -> None:
    found = {name for file in (BRANCHLINE / "platforms" / one).rglob("*.py")
             for name in imported(file)}
    assert not {name for name in found if name.startswith(f"branchline.platforms.{other}")}


def test_no_module_of_branchline_asks_which_class_a_platform_or_target_is() -> None:
    for file in BRANCHLINE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
                asked = ast.unparse(node.args[1])
                assert "Target" not in asked and "Platform" not in asked, f"{file}: {asked}"


@pytest.mark.parametrize(("folder", "forbidden"), [
    ("packages/branchline/src", "fraud_detection"),
    ("packages/branchline/src", "terminal_watch"),
    ("src/fraud_detection", "terminal_watch"),
    ("packages/branchline/src", "workspace_server"),
    ("packages/workspace-server/src", "fraud_detection"),
    ("mlflow-triggers", "fraud_detection"),
    ("mlflow-triggers", "pyspark"),
    ("mlflow-triggers", "databricks"),
    ("src", "databricks"),
    ("src", "workspace_server"),
])
def test_no_module_imports_across_the_doors(folder: str, forbidden: str) -> None:
    assert [(file, name) for file, name in imports(folder)
            if name.partition(".")[0] == forbidden] == []


def test_only_one_room_imports_the_databricks_sdk() -> None:
    files = {Path(file) for file, name in imports("packages/branchline/src")
             if name.partition(".")[0] == "databricks"}
    assert {file.parent for file in files} == {BRANCHLINE / "platforms" / "databricks"}


@pytest.mark.parametrize("place", [
    "packages/branchline/src/branchline/features", "src/fraud_detection/model"])
def test_features_and_the_protocol_do_not_import_spark(place: str) -> None:
    assert not {name for _, name in imports(place) if name.partition(".")[0] == "pyspark"}


@pytest.mark.parametrize("used", [".sparkContext", "._jvm", "._jdf", ".rdd", ".cache()",
                                  ".persist("])
def test_steps_and_tables_use_only_what_spark_connect_has(used: str) -> None:
    for folder in (ROOT / "src", BRANCHLINE / "lakehouse"):
        for file in folder.rglob("*.py"):
            assert used not in file.read_text(), file.name


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_neither_spark_nor_mlflow_nor_pandas(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "branchline.cli.main", command, "--help"],
        cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Usage: " in done.stdout
    loaded = {line.rpartition("|")[2].strip().partition(".")[0]
              for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "click" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("trigger", sorted(
    path.stem for path in (ROOT / "mlflow-triggers").glob("[!_]*.py")))
def test_a_trigger_is_the_command_with_its_name(trigger: str) -> None:
    done = subprocess.run([sys.executable, f"mlflow-triggers/{trigger}.py", "--help"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"Usage: {trigger}.py")
