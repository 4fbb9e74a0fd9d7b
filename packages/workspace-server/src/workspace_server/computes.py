"""The compute of a request's tasks: new, existing or shared clusters, or serverless."""

from __future__ import annotations

from typing import Any

from workspace_server.clusters import Clusters
from workspace_server.errors import invalid, not_emulated
from workspace_server.fields import check_fields, objects
from workspace_server.job_clusters import checked_cluster

KINDS = ("new_cluster", "existing_cluster_id", "job_cluster_key", "environment_key")
VERSIONS = ("1", "2", "3", "4", "5", "6")


class Computes:
    """The clusters of the workspace, and the job clusters and environments that a request names."""

    def __init__(self, where: str, body: dict[str, Any], clusters: Clusters) -> None:
        self._clusters = clusters
        self._shared = objects(where, body, "job_clusters", "job_cluster_key")
        self._environments = objects(where, body, "environments", "environment_key")
        for key, entry in self._shared.items():
            check_fields(f"{where}: job cluster {key}", entry,
                         {"job_cluster_key": str, "new_cluster": dict})
            checked_cluster(entry.get("new_cluster") or {})
        for key, entry in self._environments.items():
            check_fields(f"{where}: environment {key}", entry,
                         {"environment_key": str, "spec": dict})
            check_fields(f"{where}: environment {key}: spec", entry.get("spec") or {},
                         {"environment_version": str, "client": str, "dependencies": list})

    def of(self, task: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        """Kind, version and cluster for a Task.

        Raises:
            ApiError: 400, none or two are given, or the given one does not exist.
        """
        key, kinds = task["task_key"], [kind for kind in KINDS if task.get(kind)]
        if len(kinds) > 1:
            raise invalid(f"Task {key}: only one of {', '.join(kinds)} may be given.")
        if not kinds:
            raise invalid(f"Task {key}: an environment_key is required for serverless Python "
                          "script tasks; or give a new_cluster or existing_cluster_id.")
        if kinds == ["environment_key"]:
            return "serverless", self._version(task), {}
        if kinds == ["existing_cluster_id"]:
            cluster = self._clusters.get(task["existing_cluster_id"])
            return "existing", cluster["spark_version"], cluster
        shared = kinds == ["job_cluster_key"]
        cluster = checked_cluster(self._shared_cluster(task) if shared else task["new_cluster"])
        return "shared" if shared else "new", cluster["spark_version"], cluster

    def libraries(self, task: dict[str, Any], compute: str) -> tuple[str, ...]:
        """Wheels and pip requirements of a task.

        Raises:
            ApiError: 400, in the wrong place; 501, of another kind.
        """
        if compute != "serverless":
            return tuple(_library(library) for library in task.get("libraries") or [])
        if task.get("libraries"):
            raise invalid("Libraries field is not supported for serverless task, please specify "
                          "libraries in environment.")
        return tuple(self._environment(task).get("dependencies") or [])

    def _shared_cluster(self, task: dict[str, Any]) -> dict[str, Any]:
        key = task["job_cluster_key"]
        if key not in self._shared:
            raise invalid(f"Task {task['task_key']}: job_cluster_key {key} is not among the "
                          "job_clusters of the job.")
        found: dict[str, Any] = self._shared[key]["new_cluster"]
        return found

    def _environment(self, task: dict[str, Any]) -> dict[str, Any]:
        key = task["environment_key"]
        if key not in self._environments:
            raise invalid(f"environment_key {key} is not among environments.")
        return self._environments[key].get("spec") or {}

    def _version(self, task: dict[str, Any]) -> str:
        spec = self._environment(task)
        version = spec.get("environment_version") or spec.get("client")
        if version not in VERSIONS:
            raise invalid(f"environment_version {version!r} is not supported.")
        return str(version)


def _library(library: dict[str, Any]) -> str:
    check_fields("library", library, {"whl": str, "pypi": dict})
    if "pypi" in library:
        check_fields("library: pypi", library["pypi"], {"package": str})
        return str(library["pypi"]["package"])
    if "whl" not in library:
        raise not_emulated(f"library {', '.join(library)}")
    if not library["whl"].endswith(".whl"):
        raise invalid(f"Library {library['whl']} is not a wheel: it must end with .whl.")
    return str(library["whl"])
