"""What is removed of branches that are gone, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from databricks.sdk import WorkspaceClient

from branchline.config.targets import Compute, WorkspaceTarget
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal
from branchline.platforms.base import KeptWheels
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.leftovers import drop_schema, leftovers
from branchline.runs.stale_branches import SEEN, experiments, gone
from branchline.runs.tracking import Tracking
from workspace_server import Workspace

BRANCHES = ("main", "feature/gone", "feature/there", "feature/busy")


@pytest.fixture
def target(signed_in: Workspace, client: WorkspaceClient,
           tmp_path: Path) -> Iterator[WorkspaceTarget]:
    """A target of this test alone, on which each branch has run once, with a wheel of its own."""
    own = tmp_path.name.replace("_", "-")
    made = WorkspaceTarget(
        "dev", f"/Shared/{own}", "spark_catalog", f"/Volumes/dev/branchline/files/{own}",
        f"/Volumes/dev/branchline/wheels/{own}", Compute(serverless="5"), schema_prefix="clean_")
    yield made
    for schema in client.schemas.list("spark_catalog"):
        if str(schema.name).startswith("clean_"):
            client.schemas.delete(f"spark_catalog.{schema.name}", force=True)


@pytest.fixture
def lived(target: WorkspaceTarget, client: WorkspaceClient) -> WorkspaceTarget:
    from branchline.branch import Branch
    client.workspace.mkdirs(f"{target.experiment_root}/fraud-training")
    wheels, files = destination(target.wheels, client), destination(target.volume, client)
    for number, name in enumerate(BRANCHES):
        branch, version = Branch("branch", name), f"1.0+g{number}"
        experiment = mlflow.create_experiment(
            branch.experiment(target.experiment_root, "fraud-training"))
        run = mlflow.MlflowClient().create_run(experiment, tags={
            "branch": name, "branch_kind": "branch", "wheel_version": version, **SEEN})
        if name != "feature/busy":
            mlflow.MlflowClient().set_terminated(run.info.run_id)
        for schema in (f"clean_{branch.schema}", f"clean_{branch.schema}__data_ab12cd"):
            client.schemas.create(schema, "spark_catalog")
            files.create(f"{schema}/landing/a.csv", b"a")
        wheel = f"branchline/{version}/branchline-{version}-py3-none-any.whl"
        wheels.create(f"{wheel}.sha256", b"0" * 64 + b"  5\n")
        wheels.create(wheel, b"wheel")
    return target


def clean(target: WorkspaceTarget, client: WorkspaceClient, yes: bool) -> list[str]:
    tracking = Tracking("databricks", None)
    found = experiments(tracking, target.experiment_root)
    merged = gone(found, {"main", "feature/there"}, ("main",))
    kept = [each for each in found if each not in merged]
    journal = Journal("branchline", "fraud-training", destination(target.wheels, client))
    used = set().union(*(each.wheels for each in kept))
    used |= {str(each.state.version) for each in journal.all()}
    listed = []
    for leftover in leftovers(target, client, tracking, merged,
                              KeptWheels("branchline", used, newest=1)):
        listed.append(leftover.what)
        if yes:
            leftover.remove()
    return listed


def test_only_leftovers_of_a_gone_branch_are_removed(
        lived: WorkspaceTarget, client: WorkspaceClient) -> None:
    listed = clean(lived, client, yes=False)
    assert clean(lived, client, yes=True) == listed
    assert [what.split()[0] for what in listed] == [
        "experiment", "schema", "files", "schema", "files", "wheels"]
    assert all("feature_gone" in what or "feature-gone" in what for what in listed[:5])
    assert listed[5:] == [
        f"wheels {lived.wheels}/branchline/1.0+g1"]
    assert clean(lived, client, yes=True) == []
    left = {str(schema.name) for schema in client.schemas.list("spark_catalog")
            if str(schema.name).startswith("clean_")}
    assert len(left) == 6 and not [name for name in left if "feature_gone" in name]
    names = {found.name.rpartition("/")[2][:12] for found in experiments(
        Tracking("databricks", None), lived.experiment_root)}
    assert names == {"main", "feature-ther", "feature-busy"}


def test_a_wheel_that_was_deployed_stays_for_a_rollback(
        lived: WorkspaceTarget, client: WorkspaceClient) -> None:
    journal = Journal("branchline", "fraud-training", destination(lived.wheels, client))
    journal.begin(Deployment(1, State(version="1.0+g1"), None, None, "ci"))
    assert not [what for what in clean(lived, client, yes=False) if what.startswith("wheel")]


def test_an_experiment_whose_runs_name_another_branch_is_kept(
        lived: WorkspaceTarget, client: WorkspaceClient) -> None:
    stray = mlflow.create_experiment(f"{lived.experiment_root}/fraud-training/by-hand")
    mlflow.MlflowClient().create_run(stray, tags={"branch": "feature/gone",
                                                  "branch_kind": "branch"})
    assert not [what for what in clean(lived, client, yes=False) if "by-hand" in what]


def test_a_dropped_schema_takes_its_other_data_along_and_nothing_else(
        target: WorkspaceTarget, client: WorkspaceClient) -> None:
    files = destination(target.volume, client)
    for schema in ("clean_main", "clean_main__gate_1", "clean_main__gate_1__data",
                   "clean_main__gate_12"):
        client.schemas.create(schema, "spark_catalog")
        files.create(f"{schema}/landing/a.csv", b"a")
    drop_schema(target, client, "clean_main__gate_1")
    kept = {"clean_main", "clean_main__gate_12"}
    assert kept == {schema.name for schema in client.schemas.list("spark_catalog")
                    if str(schema.name).startswith("clean_")}
    assert {file.name for file in files.listing("")} == kept
