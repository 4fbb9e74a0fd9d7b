"""A job cluster as in cluster.json: checked before a run is created."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from branchline.errors import BadInput

__all__ = ["CLUSTER_FIELDS", "cluster_spec"]

TEXTS_BY_NAME = ("custom_tags", "spark_conf", "spark_env_vars")
# The fields of the SDK's ClusterSpec; importing its module takes a fifth of a submission.
CLUSTER_FIELDS = frozenset(
    """apply_policy_default_values autoscale autotermination_minutes aws_attributes
    azure_attributes cluster_log_conf cluster_name custom_tags data_security_mode dependency_mode
    docker_image driver_instance_pool_id driver_node_type_flexibility driver_node_type_id
    enable_elastic_disk enable_local_disk_encryption gcp_attributes init_scripts instance_pool_id
    is_single_node kind node_type_id num_workers policy_id remote_disk_throughput runtime_engine
    single_user_name spark_conf spark_env_vars spark_version ssh_public_keys
    total_initial_remote_disk_size use_ml_runtime worker_node_type_flexibility
    workload_type""".split())


def cluster_spec(content: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The content of a cluster file, checked against the fields that the Jobs API knows.

    Raises:
        BadInput: an unknown field, a value of the wrong type, no size or two sizes, no runtime, no
            node type.
    """
    for name in content:
        if name not in CLUSTER_FIELDS:
            raise BadInput(f"{where}: field {name} is unknown to the Jobs API's new_cluster.")
    for name in TEXTS_BY_NAME:
        _check_texts(content.get(name), f"{where}: field {name}")
    if "autotermination_minutes" in content:
        raise BadInput(f"{where}: field autotermination_minutes is not for job clusters, which end "
                       "with their run; take it out.")
    if not content.get("spark_version"):
        raise BadInput(f"{where}: field spark_version is missing; a job cluster needs it, such as "
                       "18.x-cpu-ml-scala2.13.")
    if not content.get("node_type_id") and not content.get("instance_pool_id"):
        raise BadInput(f"{where}: field node_type_id is missing; a job cluster needs it (or "
                       "instance_pool_id). See README, \"The cluster\".")
    _check_size(content, where)
    return content


def _check_texts(value: object, where: str) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise BadInput(f"{where}: found {value!r}; expected an object with texts as values.")
    for name, text in value.items():
        if not isinstance(text, str):
            raise BadInput(f"{where}.{name}: found {json.dumps(text)}; expected a text, in quotes.")


def _check_size(content: Mapping[str, Any], where: str) -> None:
    if ("num_workers" in content) == ("autoscale" in content):
        raise BadInput(f"{where}: a job cluster has one size; give either num_workers (0 for a "
                       "single node) or autoscale.")
    sizes = content.get("autoscale", {"num_workers": content.get("num_workers")})
    numbers = sizes.values() if isinstance(sizes, Mapping) and sizes else [sizes]
    for number in numbers:
        if type(number) is not int or number < 0:
            raise BadInput(f"{where}: size {json.dumps(number)}; expected num_workers as a whole "
                           "number, or autoscale with min_workers and max_workers.")
