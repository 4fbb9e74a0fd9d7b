"""Opens a project's production: reads its deploy.yml and signs in to the target."""

from __future__ import annotations

import os

from branchline.ci.identify import started_by
from branchline.cli.repository import Repository
from branchline.config.deploy_file import read_deploy_file
from branchline.config.targets import require_named
from branchline.deploy.journal import Journal
from branchline.deploy.production import Production
from branchline.platforms.find import open_platform
from branchline.wheels.pyproject import project_name

__all__ = ["open_production"]


def open_production(project: str, target_name: str, changing: str = "") -> Production:
    """The production of a project on a target.

    Args:
        changing: the command, if it changes production; the address is then printed first.

    Raises:
        BadInput: deploy.yml or the target cannot be used, or a changing command's target names no
            workspace.
    """
    repository = Repository.current()
    target = repository.target(target_name)
    if changing:
        require_named(target, os.environ, changing)
    found = repository.project(project)
    file = read_deploy_file(found.folder / "deploy.yml")
    releasing = repository.target(file.where(target_name).releases or target_name)
    platform = open_platform(target, repository.root, os.environ)
    if changing:
        print(f"production {platform.address}", flush=True)
    journal = Journal(project_name(repository.root), found.name, platform.wheels)
    return Production(repository.root, file, found, platform, releasing, journal,
                      started_by(os.environ))
