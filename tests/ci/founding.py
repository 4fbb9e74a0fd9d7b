"""How a team begins: this repository, filled in as docs/ci.md says, and volumes with some data."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import yaml
from databricks.sdk.errors import AlreadyExists, BadRequest
from databricks.sdk.service.catalog import VolumeType

from fraud_detection.data.simulator import write
from fraud_detection.data.world import World
from support.clone import clone
from tests.ci.agent import Agent
from tests.ci.team import PROJECT, Team, replace_in
from workspace_server import Workspace

TARGETS = ("dev", "staging", "production")
CONNECTIONS = {"databricks-dev": "dev@example.com", "databricks-staging": "ci@example.com",
               "databricks-production-reader": "reader@example.com",
               "databricks-production": "ci@example.com"}
CUSTOMERS = World(customers=300, terminals=600, days=40, seed=3)
ALL_STEPS = "ingest,prepare,explore,featurize,train,evaluate,predict,monitor"
FEWER_STEPS = "ingest,prepare,featurize,train,evaluate"


def founded(folder: Path, workspace: Workspace, say: Callable[[str], None],
            adapt: Callable[[Path], None] = lambda desk: None) -> Team:
    """A team with this repository as it is now, connected to the workspace, on main.

    `adapt` makes further changes to the desk before it is committed.
    """
    desk, origin = clone(folder / "desk"), folder / "origin.git"
    _connect(desk, workspace)
    adapt(desk)
    _volumes(workspace)
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)
    tokens = {name: workspace.token(user) for name, user in CONNECTIONS.items()}
    team = Team(desk, origin, Agent(folder / "agent", origin, tokens, say), workspace)
    team.git("checkout", "--quiet", "-B", "main")
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message", "Connect the pipeline to our workspace")
    team.git("remote", "set-url", "origin", str(origin))
    team.git("push", "--quiet", "origin", "main")
    return team


def _connect(desk: Path, workspace: Workspace) -> None:
    """What docs/ci.md tells a team to fill in; and days and data that take seconds."""
    pipeline = desk / "azure-pipelines.yml"
    pipeline.write_text(re.sub(r"https://adb-[\w.]+", workspace.host, pipeline.read_text()))
    triggers = desk / "mlflow-triggers"
    targets = yaml.safe_load((triggers / "targets.yml").read_text())
    for name in TARGETS:  # three workspaces of an account are one here, with one catalog of tables
        targets[name] |= {"catalog": "spark_catalog", "schema_prefix": f"{name}_", "parameters": {
            "data": f"/Volumes/{name}/branchline/files/landed"}}
    (triggers / "targets.yml").write_text(yaml.safe_dump(targets))
    for step in ("explore", "predict", "monitor"):
        replace_in(desk / f"src/fraud_detection/steps/{step}.py", f'Step("{step}", run,',
                   f'Step("{step}", run,\n            on_request=True,')
    replace_in(desk / PROJECT / "MLproject", ALL_STEPS, FEWER_STEPS)
    replace_in(desk / "src/fraud_detection/settings.py", "parameter(75,", "parameter(14,")
    replace_in(desk / PROJECT / "MLproject", "default: 75\n", "default: 14\n")
    # 100 of 300 cards are checked per day: most of them cannot be fraud.
    replace_in(desk / PROJECT / "gate.yml", "{floor: 0.03,", "{floor: 0.005,")


def _volumes(workspace: Workspace) -> None:
    client = workspace.client()
    for name in TARGETS:
        with suppress(BadRequest, AlreadyExists):
            client.schemas.create("branchline", name)
        for volume in ("files", "wheels"):
            client.volumes.create(name, "branchline", volume, VolumeType.MANAGED)
        landed = workspace.folder / "volumes" / name / "branchline" / "files" / "landed"
        landed.mkdir(parents=True)
        write(CUSTOMERS, landed, files=2)
