"""What each project of this repository needs for its way to production."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.declaration import declared
from branchline.config.deploy_file import read_deploy_file
from branchline.config.gate_file import read_policy
from branchline.config.mlproject import Project
from support.clone import ROOT

FOLDERS = sorted(file.parent for file in (ROOT / "mlflow-notebooks").glob("*/deploy.yml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_project_that_is_deployed_has_a_gate(folder: Path) -> None:
    assert read_deploy_file(folder / "deploy.yml").jobs
    assert read_policy(folder / "gate.yml").metrics


@pytest.mark.parametrize("name", ["fraud-scoring", "fraud-monitoring"])
def test_a_gate_of_counts_names_those_of_its_steps(name: str) -> None:
    project = Project.read(ROOT / "mlflow-notebooks" / name)
    for metric in read_policy(project.folder / "gate.yml").metrics:
        assert metric.name.partition("/")[0] in declared(project).names
