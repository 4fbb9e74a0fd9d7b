"""A workspace's API: plain calls, and the SDK's services, each imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from databricks.sdk.config import Config
from databricks.sdk.core import ApiClient

if TYPE_CHECKING:
    from databricks.sdk.mixins.files import DbfsExt
    from databricks.sdk.mixins.jobs import JobsExt
    from databricks.sdk.mixins.workspace import WorkspaceExt
    from databricks.sdk.service.catalog import (CatalogsAPI, GrantsAPI, SchemasAPI, TablesAPI,
                                                VolumesAPI)
    from databricks.sdk.service.compute import ClusterPoliciesAPI, ClustersAPI
    from databricks.sdk.service.files import FilesAPI
    from databricks.sdk.service.iam import CurrentUserAPI

__all__ = ["Workspace", "call"]

SERVICES = {
    "catalogs": "service.catalog:CatalogsAPI",
    "cluster_policies": "service.compute:ClusterPoliciesAPI",
    "clusters": "service.compute:ClustersAPI",
    "current_user": "service.iam:CurrentUserAPI",
    "dbfs": "mixins.files:DbfsExt",
    "files": "service.files:FilesAPI",
    "grants": "service.catalog:GrantsAPI",
    "jobs": "mixins.jobs:JobsExt",
    "schemas": "service.catalog:SchemasAPI",
    "tables": "service.catalog:TablesAPI",
    "volumes": "service.catalog:VolumesAPI",
    "workspace": "mixins.workspace:WorkspaceExt",
}


class Workspace:
    """The parts of the SDK's WorkspaceClient used here; importing all of it takes a second."""

    catalogs: CatalogsAPI
    cluster_policies: ClusterPoliciesAPI
    clusters: ClustersAPI
    current_user: CurrentUserAPI
    dbfs: DbfsExt
    files: FilesAPI
    grants: GrantsAPI
    jobs: JobsExt
    schemas: SchemasAPI
    tables: TablesAPI
    volumes: VolumesAPI
    workspace: WorkspaceExt

    def __init__(self, config: Config) -> None:
        self.config = config
        self.api_client = ApiClient(config)

    def __getattr__(self, name: str) -> Any:
        """Import a service on its first use."""
        if name not in SERVICES:
            raise AttributeError(f"{name}: no service that is used here", name=name)
        module, _, service = SERVICES[name].partition(":")
        made = getattr(import_module(f"databricks.sdk.{module}"), service)(self.api_client)
        setattr(self, name, made)
        return made


def call(client: Workspace, method: str, path: str, *, query: dict[str, Any] | None = None,
         body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON object that the workspace answers; signed in and retried as the SDK's own calls.

    Importing a service's classes takes 0.2 s, longer than all calls of a submission.

    Raises:
        DatabricksError: the workspace refuses it.
    """
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if client.config.workspace_id:
        headers["X-Databricks-Workspace-Id"] = str(client.config.workspace_id)
    answer = client.api_client.do(method, path, query=query, body=body, headers=headers)
    return answer if isinstance(answer, dict) else {}
