"""What the SDK's helpers choose from the runtimes and the kinds of machine on offer."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient

from runs_in_workspace import SavedJob, prints, result


@pytest.mark.parametrize(("wanted", "key"), [
    ({}, "16.4.x-scala2.12"), ({"scala": "2.13"}, "19.x-scala2.13"),
    ({"scala": "2.13", "long_term_support": True}, "18.x-scala2.13"),
    ({"scala": "2.13", "long_term_support": True, "ml": True}, "18.x-cpu-ml-scala2.13"),
    ({"scala": "2.13", "spark_version": "4.0.0"}, "17.3.x-scala2.13"),
    ({"long_term_support": True, "spark_version": "3.5.0"}, "15.4.x-scala2.12")])
def test_a_spark_version_is_selected(wanted: dict[str, Any], key: str,
                                     client: WorkspaceClient) -> None:
    assert client.clusters.select_spark_version(**wanted) == key


@pytest.mark.parametrize(("wanted", "node"), [
    ({"local_disk": True}, "Standard_DS3_v2"), ({"min_cores": 8}, "Standard_DS4_v2"),
    ({"min_memory_gb": 30, "min_gpus": 0}, "Standard_E4ds_v5"),
    ({"local_disk_min_size": 180}, "Standard_D3_v2"),
    ({"category": "memory optimized"}, "Standard_E4ds_v5"),
    ({"is_io_cache_enabled": True, "photon_worker_capable": True}, "Standard_D4ds_v5")])
def test_a_node_type_is_selected(wanted: dict[str, Any], node: str,
                                 client: WorkspaceClient) -> None:
    assert client.clusters.select_node_type(**wanted) == node


@pytest.mark.parametrize("wanted", [{"min_cores": 100}, {"min_gpus": 1}])
def test_a_node_type_that_is_not_on_offer_is_not_selected(wanted: dict[str, Any],
                                                          client: WorkspaceClient) -> None:
    with pytest.raises(ValueError):
        client.clusters.select_node_type(**wanted)


def test_what_was_selected_makes_a_cluster(client: WorkspaceClient, saved: SavedJob) -> None:
    cluster = {"spark_version": client.clusters.select_spark_version(long_term_support=True),
               "node_type_id": client.clusters.select_node_type(local_disk=True), "num_workers": 1}
    run = saved.ended(saved.now(saved.create(prints("a", new_cluster=cluster))))
    assert result(run)[0] == "SUCCESS"


def test_a_running_cluster_is_known_to_run(client: WorkspaceClient) -> None:
    client.clusters.ensure_cluster_is_running("0101-000000-interact")
