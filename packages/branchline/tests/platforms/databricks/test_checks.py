"""What `doctor.py --on` says about a workspace, each thing with its remedy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline.config.targets import Compute, WorkspaceTarget
from branchline.platforms.databricks.checks import check_workspace
from support.clone import ROOT
from workspace_server import Workspace

TARGET = WorkspaceTarget(
    "dev", "/Shared/branchline", "spark_catalog", "/Volumes/dev/branchline/files",
    "dbfs:/Volumes/dev/branchline/wheels", Compute(cluster="cluster.json"))
CLUSTER: dict[str, Any] = json.loads((ROOT / "cluster.json").read_text())


def examined(target: WorkspaceTarget, root: Path = ROOT) -> dict[str, tuple[str, str]]:
    """What was looked at: verdict and text of each."""
    return {found.what: (found.verdict, f"{found.found} {found.remedy}".strip())
            for found in check_workspace(target, root)}


def test_a_workspace_that_has_everything_is_fine(signed_in: Workspace) -> None:
    found = examined(TARGET)
    assert [what for what, (verdict, _) in found.items() if verdict == "wrong"] == []
    assert found["sign-in"] == ("ok", f"dev@example.com at {signed_in.host}")
    assert found["libraries"] == ("ok", "the wheels run with the libraries of 18-lts")


def test_the_check_leaves_no_file(signed_in: Workspace) -> None:
    examined(TARGET)
    assert not list((signed_in.folder / "volumes").rglob("*_doctor*"))
    assert not list((signed_in.folder / "workspace").rglob("*_doctor*"))


def test_without_sign_in_one_line_says_how_to_sign_in(
        signed_in: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-unknown-token")
    found = examined(TARGET)
    assert list(found) == ["sign-in"]
    assert found["sign-in"][0] == "wrong" and "unknown-token" not in found["sign-in"][1]


def test_a_read_only_user_sees_the_missing_permissions(
        signed_in: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", signed_in.token("reader@example.com"))
    found = examined(TARGET)
    wrong = {what for what, (verdict, _) in found.items() if verdict == "wrong"}
    assert {"experiments", "volume", "wheels"} <= wrong
    assert "not permitted" in found["wheels"][1]


@pytest.mark.parametrize(("change", "what", "text"), [
    ({"catalog": "nowhere"}, "catalog nowhere", "nowhere"),
    ({"experiment_root": "/Nowhere/x"}, "experiments", "begin experiment_root with /Shared"),
    ({"volume": "/Volumes/dev/branchline/none"}, "volume", "none"),
    ({"wheels": "dbfs:/Volumes/nowhere/x/y"}, "wheels", "nowhere"),
    ({"compute": Compute(existing_cluster_id="none")}, "cluster", "none"),
    ({"compute": Compute(cluster="other.json")}, "other.json", "cannot be read as JSON"),
    ({"compute": Compute(serverless="4")}, "libraries", "mlflow-skinny>=3.0 (serverless-4 has"),
])
def test_things_that_a_target_names_but_the_workspace_lacks_are_reported(
        signed_in: Workspace, change: dict[str, Any], what: str, text: str) -> None:
    verdict, said = examined(replace(TARGET, **change))[what]
    assert verdict == "wrong" and text in said


@pytest.mark.parametrize(("address", "command"), [
    ("/Volumes/nowhere/x/y", "databricks catalogs create nowhere"),
    ("dbfs:/Volumes/dev/nowhere/y", "databricks schemas create nowhere dev"),
    ("/Volumes/dev/branchline/none/x", "databricks volumes create dev branchline none MANAGED")])
def test_the_remedy_for_what_is_missing_is_the_command_that_creates_it(
        signed_in: Workspace, address: str, command: str) -> None:
    for what in ("volume", "wheels"):
        verdict, said = examined(replace(TARGET, **{what: address}))[what]
        assert verdict == "wrong" and said.endswith(f"create it, or ask an admin to: {command}")
    _, said = examined(replace(TARGET, catalog="nowhere"))["catalog nowhere"]
    assert said.endswith("databricks catalogs create nowhere")


@pytest.mark.parametrize(("change", "what", "text"), [
    ({"node_type_id": "Standard_Huge"}, "cluster.json", "'Standard_Huge', which the workspace"),
    ({"spark_version": "12.2.x-scala2.12"}, "cluster.json", "which the workspace does not offer"),
    ({"custom_tags": {}}, "cluster.json, size", "ResourceClass=SingleNode"),
])
def test_a_cluster_that_would_not_start_is_wrong(
        signed_in: Workspace, tmp_path: Path, change: dict[str, Any], what: str, text: str) -> None:
    (tmp_path / "cluster.json").write_text(json.dumps({**CLUSTER, **change}))
    verdict, said = examined(TARGET, tmp_path)[what]
    assert verdict == "wrong" and text in said


def test_a_running_cluster_and_serverless_are_looked_up(signed_in: Workspace) -> None:
    found = examined(replace(TARGET, compute=Compute(existing_cluster_id="0101-000000-interact")))
    assert found["cluster"][0] == "ok"
    assert examined(replace(TARGET, compute=Compute(serverless="5")))["serverless"][0] == "ok"
