"""What cluster.json may hold."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from databricks.sdk.service.compute import ClusterSpec

from branchline.errors import BadInput
from branchline.platforms.databricks.cluster_spec import CLUSTER_FIELDS, cluster_spec
from support.clone import ROOT

CLUSTER = json.loads((ROOT / "cluster.json").read_text())


def test_the_fields_of_a_cluster_are_those_of_the_sdk() -> None:
    assert CLUSTER_FIELDS == {field.name for field in fields(ClusterSpec)}


def test_the_repositorys_cluster_file_is_valid() -> None:
    assert cluster_spec(CLUSTER, "cluster.json") == CLUSTER


@pytest.mark.parametrize(("change", "line"), [
    ({"node_type": "x"}, "cluster.json: field node_type is unknown"),
    ({"node_type_id": None}, "cluster.json: field node_type_id is missing; a job cluster needs it"),
    ({"spark_version": ""}, "cluster.json: field spark_version is missing"),
    ({"autoscale": {"min_workers": 1, "max_workers": 2}}, "give either num_workers"),
    ({"autotermination_minutes": 10}, "autotermination_minutes is not for job clusters"),
    ({"custom_tags": "x"}, "cluster.json: field custom_tags: found 'x'; expected an object"),
    ({"spark_conf": {"a": 1}}, "cluster.json: field spark_conf.a: found 1; expected a text"),
    ({"spark_env_vars": [["A", "b"]]}, "field spark_env_vars: found .*; expected an object"),
    ({"num_workers": "two"}, 'cluster.json: size "two"; expected num_workers as a whole number'),
    ({"num_workers": -1}, "cluster.json: size -1; expected"),
])
def test_an_invalid_cluster_is_refused_with_its_field(
        change: dict[str, object], line: str) -> None:
    with pytest.raises(BadInput, match=line):
        cluster_spec({**CLUSTER, **change}, "cluster.json")
