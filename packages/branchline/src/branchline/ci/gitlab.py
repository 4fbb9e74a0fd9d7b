"""GitLab CI: the branch and the job in its variables; it has neither pages nor outputs to set."""

from __future__ import annotations

from collections.abc import Mapping

from branchline.branch import Branch, pull_request
from branchline.ci.variables import value

__all__ = ["branch", "build"]


def branch(environment: Mapping[str, str]) -> Branch | None:
    """The branch of the job; None outside of GitLab CI."""
    if number := value(environment, "CI_MERGE_REQUEST_IID"):
        source = value(environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
        ours = value(environment, "CI_MERGE_REQUEST_PROJECT_ID")
        theirs = value(environment, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
        return pull_request(source, number, fork=not ours or theirs != ours)
    if tag := value(environment, "CI_COMMIT_TAG"):
        return Branch("tag", tag)
    name = value(environment, "CI_COMMIT_BRANCH")
    return Branch("branch", name) if name else None


def build(environment: Mapping[str, str]) -> str | None:
    """The address of the job's page; None outside of GitLab CI."""
    return environment.get("CI_JOB_URL") or None
