"""Which branch this is, and who or what started it: from --branch, the CI's variables or git."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from branchline.branch import Branch, from_ref, named
from branchline.ci import azure, github, gitlab
from branchline.errors import UnknownBranch
from branchline.git import git, is_own_checkout
from branchline.text import without_credentials

__all__ = ["ci_branch", "current_branch", "identify", "in_ci", "started_by"]

VARIABLES = ("CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI")


def identify(
    environment: Mapping[str, str], *, given: str | None = None, head: str | None = None,
    event: Mapping[str, Any] | None = None,
) -> Branch:
    """The branch that `--branch`, else the CI's own variables, else git's HEAD names.

    `given` is the value of `--branch`, `head` git's symbolic ref (None when detached), `event` the
    payload of GitHub's event.

    Raises:
        BadInput: a name that no branch can have.
        UnknownBranch: none of them names the branch.
    """
    if given is not None:
        return named(given)
    if found := ci_branch(environment, event or {}):
        return found
    if head:
        return from_ref("git's HEAD", head)
    raise UnknownBranch("branch unknown: git's HEAD names no branch (detached, or no git checkout)"
                        " and no variable of a known CI is set; pass --branch NAME")


def ci_branch(environment: Mapping[str, str], event: Mapping[str, Any]) -> Branch | None:
    """The branch that a CI's own variables name; None outside of a CI.

    Raises:
        BadInput, UnknownBranch: as `identify`.
    """
    return (azure.branch(environment) or github.branch(environment, event)
            or gitlab.branch(environment))


def current_branch(directory: Path, given: str | None, environment: Mapping[str, str]) -> Branch:
    """`identify` for the checkout at `directory`; in CI it needs neither git nor a checkout.

    Raises:
        BadInput: a name that no branch can have; git refuses the checkout.
        UnknownBranch: nothing names the branch.
    """
    event = github.event(environment)
    try:
        return identify(environment, given=given, event=event)
    except UnknownBranch:
        head = _symbolic_head(directory)
        return identify(environment, given=given, head=head, event=event)


def in_ci(environment: Mapping[str, str]) -> bool:
    """Whether a CI runs this process."""
    return any(environment.get(name) for name in VARIABLES)


def started_by(environment: Mapping[str, str]) -> str:
    """The page of the CI's build, else the user's name."""
    build = (azure.build(environment) or github.build(environment) or gitlab.build(environment))
    if build:
        return without_credentials(build)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


def _symbolic_head(directory: Path) -> str | None:
    """None if detached, or not a checkout, even inside another repository's checkout."""
    found = git(directory, "symbolic-ref", "-q", "HEAD") if is_own_checkout(directory) else None
    return (found or b"").decode("utf-8", "surrogateescape").removesuffix("\n") or None
