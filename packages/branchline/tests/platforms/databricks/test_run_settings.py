from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from branchline.config.targets import Compute, WorkspaceTarget
from branchline.errors import BadInput
from branchline.platforms.databricks.run_settings import settings_for_config, settings_for_target
from support.clone import ROOT

CLUSTER = json.loads((ROOT / "cluster.json").read_text())
TARGET = WorkspaceTarget("dev", "/Shared/b", "dev", "/Volumes/dev/b/f", "dbfs:/Volumes/dev/b/w",
                         Compute(cluster="cluster.json"), timeout_minutes=2)


def test_a_projects_own_cluster_file_overrides_the_repositorys(tmp_path: Path) -> None:
    own = {**CLUSTER, "node_type_id": "Standard_E4ds_v5"}
    assert settings_for_target(TARGET, tmp_path, ROOT).new_cluster == CLUSTER
    (tmp_path / "cluster.json").write_text(json.dumps(own))
    assert settings_for_target(TARGET, tmp_path, ROOT).new_cluster == own


def test_a_target_says_where_files_are_kept_and_how_long_a_run_may_take(tmp_path: Path) -> None:
    settings = settings_for_target(TARGET, tmp_path, ROOT)
    assert (settings.folder, settings.wheels, settings.timeout_seconds) == (
        "/Workspace/Shared/b/_files", TARGET.wheels, 120)


def test_a_job_cluster_gets_kafka_s_password_from_the_workspace_s_secrets(tmp_path: Path) -> None:
    kafka = '{"bootstrap_servers":"a:1","password_variable":"HUB","password_secret":"s/k"}'
    settings = settings_for_target(replace(TARGET, kafka=kafka), tmp_path, ROOT)
    assert settings.new_cluster == {**CLUSTER, "spark_env_vars": {"HUB": "{{secrets/s/k}}"}}


@pytest.mark.parametrize(("content", "line"), [
    (None, "cluster.json: cannot be read as JSON"), ("{", "cannot be read as JSON"),
    ("[]", "holds a list; expected an object"), ("{}", "field spark_version is missing")])
def test_a_file_that_is_not_a_cluster_is_refused(
        tmp_path: Path, content: str | None, line: str) -> None:
    if content is not None:
        (tmp_path / "cluster.json").write_text(content)
    with pytest.raises(BadInput, match=line):
        settings_for_target(TARGET, tmp_path, tmp_path)


def test_mlflows_config_may_be_the_job_cluster_itself() -> None:
    settings = settings_for_config({**CLUSTER, "SYNCHRONOUS": True})
    assert settings.new_cluster == CLUSTER


def test_mlflows_config_may_name_other_compute_and_where_things_are_kept() -> None:
    settings = settings_for_config({"serverless": 5, "folder": "/Shared/x", "timeout_minutes": 3})
    assert (settings.serverless, settings.folder) == ("5", "/Shared/x")
    assert settings.timeout_seconds == 180
    assert settings_for_config({"existing_cluster_id": "c1"}).existing_cluster_id == "c1"


@pytest.mark.parametrize("config", [
    {"serverless": "5", "existing_cluster_id": "c1"}, {"folder": "/Shared/x"},
    {"serverless": "5", "queue": {}}])
def test_a_config_without_one_compute_or_with_an_unknown_key_is_refused(
        config: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="expected the fields of a job cluster, or one of"):
        settings_for_config(config)


@pytest.mark.parametrize(("text", "line"), [
    ('{"num_workers": 1, "num_workers": 2}', "field 'num_workers' is given twice; keep one"),
    ('{"spark_conf": {"a": "1", "a": "2"}}', "field 'a' is given twice"),
    ('{"num_workers": NaN}', "NaN is not a JSON number"),
    ("[" * 100_000, "is nested too deeply to be a job cluster."),
])
def test_a_cluster_file_is_read_strictly(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "cluster.json").write_text(text)
    with pytest.raises(BadInput) as refused:
        settings_for_target(TARGET, tmp_path, ROOT)
    told = str(refused.value)
    assert told.startswith("cluster.json: ") and line in told and "\n" not in told
