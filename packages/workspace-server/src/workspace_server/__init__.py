"""A Databricks workspace on this machine, for tests: see README.md in this folder."""

from workspace_server.server import Workspace

__all__ = ["Workspace"]
