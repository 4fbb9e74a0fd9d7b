"""Clusters: one that always exists, and those of runs."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from fastapi import APIRouter

from workspace_server.errors import ApiError, invalid, not_emulated
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer
from workspace_server.machines import described_node_types, described_versions
from workspace_server.paging import page

INTERACTIVE = "0101-000000-interact"
SINGLE_NODE: dict[str, Any] = {
    "spark_conf": {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"},
    "custom_tags": {"ResourceClass": "SingleNode"}}
POLICY = {"policy_id": "E0631F5C0D0006D6", "name": "Single-node jobs", "is_default": False,
          "creator_user_name": "ci@example.com", "created_at_timestamp": 1767225600000,
          "definition": '{"spark_conf.spark.databricks.cluster.profile": {"type": "fixed", '
                        '"value": "singleNode"}, "spark_conf.spark.master": {"type": "fixed", '
                        '"value": "local[*]"}, "custom_tags.ResourceClass": {"type": "fixed", '
                        '"value": "SingleNode"}}'}


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

    def count_one(self) -> None:
        """Count a serverless compute, which is not a cluster."""
        with self._lock:
            self.started += 1

    def start_for(self, job: int, run: int, user: str,
                  spec: dict[str, Any]) -> str:
        """A new cluster of a run, PENDING; its id."""
        with self._lock:
            self.started += 1
            cluster = f"{time.strftime('%m%d-%H%M%S')}-job{next(self._numbers):05}"
            self._all[cluster] = _described(cluster, {
                **spec, "cluster_name": f"job-{job}-run-{run}", "state": "PENDING",
                "creator_user_name": user, "cluster_source": "JOB"})
        return cluster

    def becomes(self, cluster: str, state: str) -> None:
        self._all[cluster]["state"] = state

    def get(self, cluster: object) -> dict[str, Any]:
        """The cluster's description.

        Raises:
            ApiError: 400, as the service does, if there is none.
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
        return {"node_types": described_node_types()}

    @api.get(base + "/spark-versions")
    def versions(user: Reader) -> dict[str, Any]:
        return {"versions": described_versions()}

    @api.get(base + "/get")
    def get(user: Reader, cluster_id: str = "") -> dict[str, Any]:
        return clusters.get(cluster_id)

    @api.get(base + "/list")
    def listed(user: Reader, page_size: int = 20, page_token: str = "") -> dict[str, Any]:
        if not 0 <= page_size <= 100:
            raise invalid(f"page_size must be between 0 and 100, got {page_size}.")
        shown, more = page(clusters.all(), page_size or 20, page_token)
        del more["has_more"]
        return {"clusters": shown, **more}

    @api.post(base + "/start")
    def start(user: Writer, body: Body) -> dict[str, str]:
        check_fields("clusters/start", body, {"cluster_id": str})
        state = clusters.get(body.get("cluster_id"))["state"]
        if state == "RUNNING":
            raise ApiError(400, "INVALID_STATE", f"Cluster {body['cluster_id']} is in unexpected "
                                                 "state Running.")
        raise not_emulated(f"clusters/start of a cluster that is {state}")

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
