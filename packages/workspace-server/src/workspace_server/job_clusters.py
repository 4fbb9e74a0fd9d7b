"""Checks a new_cluster as the service does; tags by Azure's rules."""

from __future__ import annotations

import re
from typing import Any

from workspace_server.clusters import POLICY, SINGLE_NODE
from workspace_server.errors import invalid, not_emulated
from workspace_server.fields import Kinds, check_fields
from workspace_server.machines import NODE_TYPES, spark_versions

STANDARD_MODES = ("USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD")
DONE: Kinds = {
    "spark_version": str, "node_type_id": str, "driver_node_type_id": str, "num_workers": int,
    "autoscale": dict, "policy_id": str, "apply_policy_default_values": bool,
    "spark_conf": dict, "spark_env_vars": dict, "custom_tags": dict,
    "data_security_mode": str, "is_single_node": bool, "kind": str}
# They change the machine, its price or who may see it, but not what a run does.
KEPT = ("azure_attributes driver_instance_pool_id enable_elastic_disk ssh_public_keys "
        "enable_local_disk_encryption runtime_engine single_user_name cluster_name "
        "remote_disk_throughput total_initial_remote_disk_size driver_node_type_flexibility "
        "worker_node_type_flexibility")
NOT_FOR_JOBS = ("autotermination_minutes", "is_pinned", "workload_type")


def checked_cluster(given: dict[str, Any]) -> dict[str, Any]:
    """The resulting cluster, with its policy's additions.

    Raises:
        ApiError: 400 INVALID_PARAMETER_VALUE.
    """
    cluster = _with_policy(given)
    for field in NOT_FOR_JOBS:
        if cluster.get(field):
            raise invalid(f"{field} is not supported for job clusters.")
    check_fields("new_cluster", cluster, DONE, KEPT)
    _check_secrets(cluster)
    version = cluster.get("spark_version")
    if version not in spark_versions():
        raise invalid(f"Invalid spark version {version}.")
    _check_machines(cluster)
    _check_size(cluster)
    _check_mode(cluster)
    _check_variables(cluster.get("spark_env_vars") or {})
    _check_tags(cluster.get("custom_tags") or {})
    return cluster


def _with_policy(cluster: dict[str, Any]) -> dict[str, Any]:
    policy = cluster.get("policy_id")
    if policy is None:
        return cluster
    if policy != POLICY["policy_id"]:
        raise invalid(f"Cluster policy {policy} does not exist.")
    if not cluster.get("apply_policy_default_values"):
        return cluster
    return {**cluster, **{key: {**cluster.get(key, {}), **fixed}
                          for key, fixed in SINGLE_NODE.items()}}


def _check_machines(cluster: dict[str, Any]) -> None:
    worker = cluster.get("node_type_id")
    for node in (worker, cluster.get("driver_node_type_id") or worker):
        if node not in NODE_TYPES:
            raise invalid(f"Node type {node} is not supported. Supported node types: "
                          f"{', '.join(NODE_TYPES)}.")


def _check_secrets(cluster: dict[str, Any]) -> None:
    for field in ("spark_conf", "spark_env_vars"):
        for name, value in (cluster.get(field) or {}).items():
            if "{{secrets/" in str(value):
                raise not_emulated(f"new_cluster: {field}: {name}: a reference to a secret")


def _check_size(cluster: dict[str, Any]) -> None:
    autoscale, workers = cluster.get("autoscale"), cluster.get("num_workers")
    if (autoscale is None) == (workers is None):
        raise invalid("Exactly one of num_workers or autoscale must be specified for a cluster.")
    if autoscale and not autoscale.get("min_workers", 0) < autoscale.get("max_workers", 0):
        raise invalid("autoscale.min_workers must be less than autoscale.max_workers.")
    if workers == 0 and not cluster.get("is_single_node"):
        for part, fixed in SINGLE_NODE.items():
            for key, value in fixed.items():
                found = (cluster.get(part) or {}).get(key)
                if found != value and not (key == "spark.master" and _is_local(found)):
                    raise invalid(f"num_workers is 0 only for single-node clusters; {part} {key} "
                                  f"must be {value}, found {found}.")


def _is_local(master: object) -> bool:
    return isinstance(master, str) and master.startswith("local[")


def _check_mode(cluster: dict[str, Any]) -> None:
    mode = cluster.get("data_security_mode")
    if mode in STANDARD_MODES and "-ml-" in cluster["spark_version"]:
        raise invalid("Databricks Runtime ML is not supported with standard access mode.")


def _check_variables(variables: dict[str, Any]) -> None:
    for name, value in variables.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or not isinstance(value, str):
            raise invalid(f"spark_env_vars: {name} is not a valid environment variable.")


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > 45:
        raise invalid(f"custom_tags: at most 45 tags are allowed, got {len(tags)}.")
    for key, value in tags.items():
        if not key or len(key) > 512 or re.search(r"[<>*&%;\\/+?]", key):
            raise invalid(f"custom_tags: the key {key!r} is not allowed on Azure.")
        if len(value) > 256 or any(ord(character) > 255 for character in value):
            raise invalid(f"custom_tags: the value of {key} must be at most 256 Latin-1 "
                          "characters.")
