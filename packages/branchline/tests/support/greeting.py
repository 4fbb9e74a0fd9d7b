"""A workspace that runs projects, signed in to as MLflow and the SDK are, and a small project."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pytest
from databricks.sdk import WorkspaceClient

from support.clone import ROOT
from workspace_server import Workspace

MLPROJECT = """name: greeting
entry_points:
  main:
    parameters:
      who: {default: world}
      then: {default: end}
    command: python main.py {who} {then}
  silent:
    command: python silent.py
  shell:
    command: echo hello
"""
MAIN = """
import sys, time
import mlflow
import words

who, then = sys.argv[1:]
with mlflow.start_run() as run:
    mlflow.log_metric("letters", len(who))
    mlflow.log_param("said", words.GREETING)
    if then == "fail":
        raise ValueError("told to fail")
    if then == "sleep":
        mlflow.set_tag("sleeping", "yes")
        time.sleep(600)
"""


@pytest.fixture
def client(signed_in: Workspace) -> WorkspaceClient:
    return signed_in.client()


@pytest.fixture
def greeting(tmp_path: Path) -> Path:
    """A project outside of a repository, so that it has no wheel."""
    folder = tmp_path / "greeting"
    folder.mkdir()
    for name, text in (("MLproject", MLPROJECT), ("main.py", MAIN), ("silent.py", "print(1)\n"),
                       ("sleep.py", "import time\ntime.sleep(600)\n"),
                       ("rest.py", "import time\ntime.sleep(4)\n"),
                       ("words.py", "GREETING = 'hello'\n"),
                       ("cluster.json", (ROOT / "cluster.json").read_text())):
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def experiment(signed_in: Workspace, tmp_path: Path) -> str:
    """The id of an experiment of this test."""
    signed_in.client().workspace.mkdirs("/Shared/tests")
    made: str = mlflow.create_experiment(f"/Shared/tests/{tmp_path.name}")
    return made


CLUSTER = json.loads((ROOT / "cluster.json").read_text())
