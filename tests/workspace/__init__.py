"""A Databricks workspace on this machine, for tests: see README.md in this folder."""

from tests.workspace.server import Workspace

__all__ = ["Workspace"]
