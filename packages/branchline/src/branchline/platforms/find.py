"""Finds a target's platform; the only module that knows all platforms."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

from branchline.config.targets import Target
from branchline.platforms.base import Platform
from branchline.platforms.checks import Check
from branchline.runs import summary
from branchline.runs.tracking import remove_variables

__all__ = ["checks", "open_platform"]


def open_platform(target: Target, root: Path, environment: MutableMapping[str, str]) -> Platform:
    """The target's platform, signed in to; `root` is the repository's top.

    Raises:
        PlatformError: a workspace that cannot be signed in to.
    """
    for name in remove_variables(environment):
        print(f"note: {name} is set and not used: targets.yml, the branch and the new run decide",
              file=sys.stderr, flush=True)
    if target.kind == "local":
        from branchline.platforms.local.platform import LocalPlatform
        return LocalPlatform.connect(target, root, environment)
    from branchline.platforms.databricks.sdk import without_services
    without_services()
    from branchline.platforms.databricks.platform import sign_in
    return sign_in(target, root, environment, summary.narrator())


def checks(target: Target, root: Path, environment: Mapping[str, str]) -> Iterable[Check]:
    """What a run on the target needs, checked one by one."""
    if target.kind == "local":
        from branchline.platforms.local.checks import check_machine
        return check_machine(root, environment)
    from branchline.platforms.databricks.checks import check_workspace
    return check_workspace(target, root)
