from __future__ import annotations

from pathlib import Path

import pytest

from branchline.branch import Branch
from branchline.config.targets import Compute, LocalTarget, WorkspaceTarget, require_named
from branchline.config.targets_file import read_target
from branchline.errors import BadInput
from support.clone import ROOT

TARGETS = ROOT / "mlflow-triggers" / "targets.yml"
DEV = """dev:
  experiment_root: /Shared/b
  catalog: dev
  volume: /Volumes/dev/b/f
  wheels: /Volumes/dev/b/w
  compute: serverless
"""
LOCAL = "local: {tracking_uri: a, lakehouse: c, experiment_root: d}\n"


def test_the_repository_has_a_local_target() -> None:
    target = read_target(TARGETS, "local")
    assert isinstance(target, LocalTarget) and target.tracking_uri.startswith("sqlite:///")


@pytest.mark.parametrize("name", ["dev", "staging", "production", "emulated"])
def test_the_repositorys_workspaces_are_targets(name: str) -> None:
    assert isinstance(read_target(TARGETS, name), WorkspaceTarget)


@pytest.mark.parametrize(("text", "compute"), [
    ("serverless", Compute(serverless="5")),
    ("{serverless: '4'}", Compute(serverless="4")),
    ("{cluster: cluster.json, policy_id: p1}", Compute("cluster.json", "p1")),
    ("{existing_cluster_id: c1}", Compute(existing_cluster_id="c1")),
])
def test_compute_is_a_cluster_file_a_running_cluster_or_serverless(
        tmp_path: Path, text: str, compute: Compute) -> None:
    (tmp_path / "targets.yml").write_text(DEV.replace("serverless", text))
    target = read_target(tmp_path / "targets.yml", "dev")
    assert isinstance(target, WorkspaceTarget) and target.compute == compute


def test_a_workspace_gives_each_branch_a_schema_of_its_catalog(tmp_path: Path) -> None:
    (tmp_path / "targets.yml").write_text(
        DEV + "  schema_prefix: fraud_\n  parameters: {data: /Volumes/x, n: 7, from: 2018-08-08}\n")
    target = read_target(tmp_path / "targets.yml", "dev")
    assert target.values(Branch("branch", "feature-a"), tmp_path) == {
        "lakehouse": "dev", "schema": "fraud_feature_a", "files": "/Volumes/dev/b/f",
        "data": "/Volumes/x", "n": "7", "from": "2018-08-08"}


KAFKA = "  kafka: {bootstrap_servers: 'hub:9093', password_variable: A, password_secret: s/k}\n"


def test_a_target_s_settings_for_kafka_are_passed_to_every_project_that_has_them(
        tmp_path: Path) -> None:
    on_cluster = DEV.replace("serverless", "{cluster: cluster.json}") + KAFKA
    (tmp_path / "targets.yml").write_text(
        on_cluster + LOCAL.replace("d}", "d, kafka: {bootstrap_servers: 'localhost:9092'}}"))
    for name in ("dev", "local"):
        target = read_target(tmp_path / "targets.yml", name)
        given = target.values(Branch("branch", "b"), tmp_path)["kafka"]
        assert given.startswith('{"bootstrap_servers":') and target.location(given) == given


def test_a_secret_of_kafka_needs_a_cluster_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "targets.yml").write_text(DEV + KAFKA)
    with pytest.raises(BadInput, match="line 7: password_secret needs compute: {cluster"):
        read_target(tmp_path / "targets.yml", "dev")


@pytest.mark.parametrize(("lines", "branch"), [
    ("", "b"), ("", "w"), ("  schema_prefix: information_\n", "schema"),
    ("  schema_prefix: de\n", "fault")],
    ids=["of the volume", "of the wheels", "of the platform", "default"])
def test_a_branchs_schema_is_never_reserved_or_in_use(
        tmp_path: Path, lines: str, branch: str) -> None:
    (tmp_path / "targets.yml").write_text(DEV.replace("/b/w", "/w/w") + lines)
    target = read_target(tmp_path / "targets.yml", "dev")
    assert isinstance(target, WorkspaceTarget)
    feature = Branch("branch", branch)
    assert target.schema(feature) == target.schema_prefix + feature.hashed_schema
    assert target.values(feature, tmp_path)["schema"] == target.schema(feature)


def test_a_schema_of_another_catalog_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "targets.yml").write_text(DEV.replace("catalog: dev", "catalog: other"))
    target = read_target(tmp_path / "targets.yml", "dev")
    assert isinstance(target, WorkspaceTarget) and target.schema(Branch("branch", "b")) == "b"


@pytest.mark.parametrize(("content", "name", "line"), [
    (LOCAL, "dev", "target dev is not in targets.yml; found local."),
    ("", "local", "found none."),
    ("local: {tracking_uri: a, lakehouse: c}", "local", "lacks experiment_root"),
    (LOCAL.replace("d}", "d, experiment: e}"), "local", "unknown key experiment; expected"),
    ("local: [", "local", "cannot be read"),
    (DEV + "  clusters: x\n", "dev",
     "targets.yml, line 7: target dev has an unknown key clusters; expected catalog, compute"),
    (LOCAL + DEV.replace("  catalog: dev\n", ""), "dev",
     "targets.yml, line 2: target dev lacks catalog."),
    (DEV + "  profile: a\n  host: b\n", "dev", "line 8: target dev has both profile and host"),
    (DEV.replace("catalog: dev", "catalog: [a]"), "dev", "line 3: catalog is ['a']; expected text"),
    (DEV.replace("serverless", "{}"), "dev", "line 6: compute has neither; expected one of"),
    (DEV.replace("serverless", "{serverless: '5', existing_cluster_id: c}"), "dev",
     "compute has existing_cluster_id and serverless; expected one of"),
    (DEV.replace("serverless", "spot"), "dev", "compute is 'spot'; expected `serverless`, or"),
    (DEV + "  timeout_minutes: soon\n", "dev", "line 7: timeout_minutes is 'soon'; expected a"),
    (DEV + "  permissions: {a: b}\n", "dev", "line 7: permissions is {'a': 'b'}; expected a list"),
    (LOCAL.replace("c,", "null,"), "local", "line 1: lakehouse is null; expected text."),
    (LOCAL.replace("c,", "yes,"), "local", "lakehouse is yes; expected text; put it in quotes."),
    (LOCAL.replace("c,", "5,"), "local", "lakehouse is 5; expected text; put it in quotes."),
    (LOCAL.replace("c,", "[c],"), "local", "lakehouse is ['c']; expected text."),
    ("local:\n", "local", "line 1: local is empty; expected lines such as `key: value`."),
    (DEV.replace("/Shared/b", "yes"), "dev", "line 2: experiment_root is yes; expected text; put"),
    (DEV + "  timeout_minutes: yes\n", "dev", "line 7: timeout_minutes is yes; expected a whole"),
    (DEV + "  timeout_minutes: 99999999999\n", "dev", "line 7: timeout_minutes is 99999999999;"),
    (DEV + "  tags: {team: null}\n", "dev", "line 7: team is null; expected text or a number."),
    (DEV + "  parameters: {a: no}\n", "dev", "line 7: a is no; expected text or a number; put"),
    (DEV + "  permissions: [{permission_level: no}]\n", "dev", "line 7: permissions is [{"),
    (DEV.replace("serverless", "{serverless: null}"), "dev", "line 6: serverless is null; expec"),
    (DEV + "  tags: [a]\n", "dev", "line 7: tags is ['a']; expected lines"),
])
def test_what_is_wrong_with_the_file_is_reported_in_one_line(
        tmp_path: Path, content: str, name: str, line: str) -> None:
    (tmp_path / "targets.yml").write_text(content)
    with pytest.raises(BadInput) as refused:
        read_target(tmp_path / "targets.yml", name)
    assert line in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(("lines", "environment"), [
    ("  host: https://dev.example\n", {}), ("  profile: dev\n", {}),
    ("", {"DATABRICKS_HOST": "https://dev.example"})])
def test_a_workspace_is_named_by_host_profile_or_the_variable(
        tmp_path: Path, lines: str, environment: dict[str, str]) -> None:
    (tmp_path / "targets.yml").write_text(DEV + lines)
    require_named(read_target(tmp_path / "targets.yml", "dev"), environment, "clean --yes")


def test_the_default_profile_names_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "targets.yml").write_text(LOCAL + DEV)
    require_named(read_target(tmp_path / "targets.yml", "local"), {}, "clean --yes")
    with pytest.raises(BadInput, match="target dev: has neither host nor profile.*clean --yes"):
        require_named(read_target(tmp_path / "targets.yml", "dev"), {}, "clean --yes")


def workspace(volume: str) -> WorkspaceTarget:
    return WorkspaceTarget("dev", "/Shared/b", "dev", volume, "w", Compute(serverless="5"))


def test_a_model_has_its_projects_name_and_in_unity_catalog_three_parts() -> None:
    assert LocalTarget("local", "a", "b", "c").model_name("fraud-training") == "fraud-training"
    found = workspace("/Volumes/dev/branchline/files").model_name("fraud-training")
    assert found == "dev.branchline.fraud_training"
    with pytest.raises(BadInput, match="volume is dbfs:/files; expected /Volumes/CATALOG/SCHEMA"):
        workspace("dbfs:/files").model_name("fraud-training")


def test_on_this_machine_a_file_becomes_absolute_and_an_address_stays(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").touch()
    target = read_target(TARGETS, "local")
    assert target.location("data.csv") == str(tmp_path / "data.csv")
    assert target.location("s3://bucket/data") == "s3://bucket/data"
    with pytest.raises(ValueError, match="an existing file or folder"):
        target.location("/no/such")
    (tmp_path / "loop").symlink_to("loop")
    for text, reason in (("loop", "a link to itself"), ("x" * 300, "File name too long"),
                         ("data.csv/x", "Not a directory")):
        with pytest.raises(ValueError, match=f"existing file or folder .the system says: {reason}"):
            target.location(text)


def test_a_workspace_accepts_only_addresses_that_it_can_reach() -> None:
    target = read_target(TARGETS, "dev")
    for address in ("dbfs:/data", "/Volumes/main/raw/landing", "s3://bucket/data"):
        assert target.location(address) == address
    for text in (str(TARGETS), "", " ", "/Volumes/", "/Volumes//x", "dbfs:/", " /Volumes/main/raw",
                 "/Volumes/main/raw\n", "C:data"):
        with pytest.raises(ValueError, match="an address that the workspace reaches"):
            target.location(text)
    for text in ("/Volumes/$(catalog)/raw", "s3://${bucket}/data"):
        with pytest.raises(ValueError, match="the CI's variables filled in"):
            target.location(text)
