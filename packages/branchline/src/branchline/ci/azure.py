"""Azure Pipelines: the branch and the build in its variables, its logging commands."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from branchline.branch import Branch, from_ref, pull_number, pull_request
from branchline.ci.variables import value
from branchline.text import unprotected

__all__ = ["branch", "build", "is_here", "set_output", "show_page"]

# Microsoft's docs, "Logging commands": how to escape a command's text and properties.
DATA = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
PROPERTY = {**DATA, ";": "%3B", "]": "%5D"}


def is_here(environment: Mapping[str, str]) -> bool:
    return "TF_BUILD" in environment


def branch(environment: Mapping[str, str]) -> Branch | None:
    """The branch of the build; None outside of Azure Pipelines."""
    # Not BUILD_SOURCEBRANCHNAME: it is `merge` for every pull request and `x` for feature/a/x.
    ref = value(environment, "BUILD_SOURCEBRANCH")
    source = value(environment, "SYSTEM_PULLREQUEST_SOURCEBRANCH")
    if source or value(environment, "BUILD_REASON") == "PullRequest":
        # GitHub's pull requests have an unrelated internal id besides their number.
        number = (value(environment, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
                  or value(environment, "SYSTEM_PULLREQUEST_PULLREQUESTID") or pull_number(ref))
        fork = value(environment, "SYSTEM_PULLREQUEST_ISFORK").lower() != "false"
        # The prefix is there for Azure Repos and missing for GitHub.
        return pull_request(source.removeprefix("refs/heads/"), number, fork=fork)
    return from_ref("BUILD_SOURCEBRANCH", ref) if ref else None


def build(environment: Mapping[str, str]) -> str | None:
    """The address of the build's page, else its number; None outside of Azure Pipelines."""
    number = environment.get("BUILD_BUILDID")
    if not number:
        return None
    project = (environment.get("SYSTEM_COLLECTIONURI", "")
               + environment.get("SYSTEM_TEAMPROJECT", ""))
    return f"{project}/_build/results?buildId={number}" if project else f"build {number}"


def show_page(page: Path, environment: Mapping[str, str]) -> None:
    """Attach a Markdown file to the build's page; the agent reads the file later, so keep it."""
    _command("task.uploadsummary", str(page.resolve()))


def set_output(name: str, text: str, environment: Mapping[str, str]) -> None:
    """Set an output variable of this step, one line of text."""
    _command(f"task.setvariable variable={_escaped(name, PROPERTY)};isOutput=true", text)


def _command(command: str, text: str) -> None:
    print(f"##vso[{command}]{_escaped(text, DATA)}", file=unprotected(sys.stdout), flush=True)


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(each, each) for each in text)
