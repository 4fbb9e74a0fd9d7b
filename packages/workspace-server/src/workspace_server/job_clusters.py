"""A new_cluster as the service checks it; tags by Azure's rules."""

from __future__ import annotations

import re
from typing import Any

from workspace_server.clusters import NODE_TYPES, POLICY, SINGLE_NODE, spark_versions
from workspace_server.errors import invalid

STANDARD_MODES = ("USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD")
NOT_FOR_JOBS = ("autotermination_minutes", "is_pinned", "workload_type")


def checked_cluster(given: dict[str, Any]) -> dict[str, Any]:
    """The cluster that is made, with what its policy adds.

    Raises:
        ApiError: 400 INVALID_PARAMETER_VALUE.
    """
    cluster = _with_policy(given)
    for field in NOT_FOR_JOBS:
        if cluster.get(field):
            raise invalid(f"{field} is not supported for job clusters.")
    version = cluster.get("spark_version")
    if version not in spark_versions():
        raise invalid(f"Invalid spark version {version}.")
    node = cluster.get("node_type_id")
    if node not in NODE_TYPES and not cluster.get("instance_pool_id"):
        raise invalid(f"Node type {node} is not supported. Supported node types: "
                      f"{', '.join(NODE_TYPES)}.")
    _check_size(cluster)
    _check_mode(cluster)
    _check_variables(cluster.get("spark_env_vars", {}))
    _check_tags(cluster.get("custom_tags", {}))
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


def _check_size(cluster: dict[str, Any]) -> None:
    autoscale, workers = cluster.get("autoscale"), cluster.get("num_workers")
    if (autoscale is None) == (workers is None):
        raise invalid("Exactly one of num_workers or autoscale must be specified for a cluster.")
    if autoscale and not autoscale.get("min_workers", 0) < autoscale.get("max_workers", 0):
        raise invalid("autoscale.min_workers must be less than autoscale.max_workers.")
    if workers == 0 and not cluster.get("is_single_node"):
        for part, fixed in SINGLE_NODE.items():
            for key, value in fixed.items():
                found = cluster.get(part, {}).get(key)
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
