"""Clusters: the kinds of machine and runtime on offer, one that is always there, job clusters."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from fastapi import APIRouter

from branchline.platforms.databricks.runtimes import runtimes
from workspace_server.errors import ApiError, invalid
from workspace_server.identity import Body, Reader, Writer

INTERACTIVE = "0101-000000-interact"
OLDER = ("13.3.x-scala2.12", "14.3.x-scala2.12", "15.4.x-scala2.12", "15.4.x-cpu-ml-scala2.12",
         "16.4.x-scala2.12", "16.4.x-cpu-ml-scala2.12", "16.4.x-scala2.13")
NODE_TYPES = {"Standard_D3_v2": (14336, 4.0), "Standard_DS3_v2": (14336, 4.0),
              "Standard_DS4_v2": (28672, 8.0), "Standard_D4ds_v5": (16384, 4.0),
              "Standard_E4ds_v5": (32768, 4.0)}
SINGLE_NODE: dict[str, Any] = {
    "spark_conf": {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"},
    "custom_tags": {"ResourceClass": "SingleNode"}}
POLICY = {"policy_id": "E0631F5C0D0006D6", "name": "Single-node jobs", "is_default": False,
          "creator_user_name": "ci@example.com", "created_at_timestamp": 1767225600000,
          "definition": '{"spark_conf.spark.databricks.cluster.profile": {"type": "fixed", '
                        '"value": "singleNode"}, "spark_conf.spark.master": {"type": "fixed", '
                        '"value": "local[*]"}, "custom_tags.ResourceClass": {"type": "fixed", '
                        '"value": "SingleNode"}}'}


def spark_versions() -> list[str]:
    """The keys that a cluster's `spark_version` may have."""
    return [*OLDER, *(key for runtime in runtimes() for key in runtime.spark_versions)]


class Clusters:
    """All clusters by id, and how many were ever started for a run."""

    def __init__(self, interactive_version: str) -> None:
        self.started = 0
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._all: dict[str, dict[str, Any]] = {INTERACTIVE: _described(INTERACTIVE, {
            "cluster_name": "interactive", "spark_version": interactive_version,
            "node_type_id": "Standard_DS3_v2", "num_workers": 0,
            "creator_user_name": "dev@example.com", "state": "RUNNING", "cluster_source": "UI",
            **SINGLE_NODE})}

    def start_for(self, run_id: int, user: str, spec: dict[str, Any]) -> str:
        """A new cluster of a run, PENDING; its id."""
        with self._lock:
            self.started += 1
            cluster = f"{time.strftime('%m%d-%H%M%S')}-job{next(self._numbers):05}"
            self._all[cluster] = _described(cluster, {
                **spec, "cluster_name": f"job-{run_id}-run-{run_id}", "state": "PENDING",
                "creator_user_name": user, "cluster_source": "JOB"})
        return cluster

    def becomes(self, cluster: str, state: str) -> None:
        self._all[cluster]["state"] = state

    def get(self, cluster: object) -> dict[str, Any]:
        """The cluster's description.

        Raises:
            ApiError: 400, there is none, which is how the service says it.
        """
        if cluster not in self._all:
            raise invalid(f"Cluster {cluster} does not exist")
        return self._all[str(cluster)]

    def all(self) -> list[dict[str, Any]]:
        return list(self._all.values())


def _described(cluster: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "cluster_id": cluster, "start_time": int(time.time() * 1000),
            "spark_context_id": abs(hash(cluster)) % 10**18}


def routes(clusters: Clusters) -> APIRouter:
    api = APIRouter()
    base = "/api/2.1/clusters"

    @api.get(base + "/list-node-types")
    def node_types(user: Reader) -> dict[str, Any]:
        return {"node_types": [
            {"node_type_id": name, "memory_mb": memory, "num_cores": cores, "description": name,
             "instance_type_id": name, "category": "General Purpose"}
            for name, (memory, cores) in NODE_TYPES.items()]}

    @api.get(base + "/spark-versions")
    def versions(user: Reader) -> dict[str, Any]:
        return {"versions": [{"key": key, "name": key} for key in spark_versions()]}

    @api.get(base + "/get")
    def get(user: Reader, cluster_id: str = "") -> dict[str, Any]:
        return clusters.get(cluster_id)

    @api.get(base + "/list")
    def listed(user: Reader) -> dict[str, Any]:
        return {"clusters": clusters.all()}

    @api.post(base + "/start")
    def start(user: Writer, body: Body) -> dict[str, str]:
        if clusters.get(body.get("cluster_id"))["state"] == "RUNNING":
            raise ApiError(400, "INVALID_STATE", f"Cluster {body['cluster_id']} is in unexpected "
                                                 "state Running.")
        return {}

    @api.get("/api/2.0/policies/clusters/get")
    def policy(user: Reader, policy_id: str = "") -> dict[str, Any]:
        if policy_id != POLICY["policy_id"]:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST",
                           f"Can't find a cluster policy with id: {policy_id}.")
        return POLICY

    @api.get("/api/2.0/policies/clusters/list")
    def policies(user: Reader) -> dict[str, Any]:
        return {"policies": [POLICY], "total_count": 1}

    @api.get("/_emulator/clusters")
    def count() -> dict[str, int]:
        return {"started": clusters.started}

    return api
