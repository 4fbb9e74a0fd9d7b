"""The deployed version of a project, for the gate of a project without a model."""

from __future__ import annotations

from pathlib import Path

from branchline.config.targets import Target
from branchline.deploy.journal import Journal
from branchline.gate.replay import Deployed
from branchline.platforms.base import Platform
from branchline.wheels.pyproject import project_name

__all__ = ["deployed"]


def deployed(root: Path, platform: Platform, project: str, target: Target) -> Deployed | None:
    """What the newest finished deployment to a target put in place; None if nothing is there.

    Args:
        root: the checkout's top.
        platform: where the gate runs; it reaches the target's wheels, as a deployment reaches those
            of its releases.
    """
    wheels = platform.releases(target)
    found = Journal(project_name(root), project, wheels).current()
    if found.state.copy is None:
        return None
    return Deployed(f"deployment {found.number}, version {found.state.version}",
                    found.state.artifacts, wheels, platform.kept_project(found.state.copy))
