"""One workspace for the tests of it."""

from runs_in_workspace import client, jobs, saved, serving, workspace

__all__ = ["client", "jobs", "saved", "serving", "workspace"]
