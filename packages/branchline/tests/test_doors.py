"""The doors between the rooms: who may import whom, and what importing may not do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clone import ROOT


def imports(folder: str) -> Iterator[tuple[str, str]]:
    """(file, imported module) for every import in the folder's Python files."""
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((str(file), alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(file), node.module or ""


@pytest.mark.parametrize(("folder", "forbidden"), [
    ("src/branchline", "fraud_detection"),
    ("mlflow-triggers", "fraud_detection"),
    ("mlflow-triggers", "pyspark"),
    ("mlflow-notebooks", "branchline"),
    ("src/fraud_detection", "databricks"),
    ("mlflow-triggers", "databricks"),
])
def test_no_import_goes_through_a_closed_door(folder: str, forbidden: str) -> None:
    assert [(file, name) for file, name in imports(folder)
            if name.partition(".")[0] == forbidden] == []


def test_only_one_room_imports_the_databricks_sdk() -> None:
    files = {file for file, name in imports("src/branchline")
             if name.partition(".")[0] == "databricks"}
    assert files
    assert {Path(file).parent for file in files} == {ROOT / "src" / "branchline" / "databricks"}


@pytest.mark.parametrize("module", [
    "fraud_detection/features.py", "fraud_detection/kernel.py", "fraud_detection/protocol.py"])
def test_features_kernel_and_protocol_know_neither_spark_nor_mlflow(module: str) -> None:
    tree = ast.parse((ROOT / "src" / module).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in names if name.partition(".")[0] in ("pyspark", "mlflow")}


@pytest.mark.parametrize("used", [".sparkContext", "._jvm", "._jdf", ".rdd", ".cache()",
                                  ".persist("])
def test_steps_use_only_what_spark_connect_has(used: str) -> None:
    for file in (ROOT / "src" / "fraud_detection").glob("*.py"):
        assert used not in file.read_text(), file.name


@pytest.mark.parametrize(("trigger", "says"), [
    ("run", "Usage: run.py"), ("gate", "Exit codes: 0 passed, 4 refused"),
    ("publish", "Usage: publish.py"), ("deploy", "Usage: deploy.py"),
    ("clean", "Usage: clean.py"), ("doctor", "Usage: doctor.py")])
def test_help_imports_neither_spark_nor_mlflow_nor_pandas(trigger: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", f"mlflow-triggers/{trigger}.py", "--help"], cwd=ROOT,
        capture_output=True, text=True)
    assert done.returncode == 0 and says in done.stdout
    loaded = {line.rpartition("|")[2].strip().partition(".")[0]
              for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "click" in loaded
    assert not loaded & {"pyspark", "mlflow", "pandas", "numpy", "sklearn", "matplotlib",
                         "fraud_detection", "databricks"}
