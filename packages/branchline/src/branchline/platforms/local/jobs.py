"""A production on this machine: a folder with wheels, project files, and a JSON file a job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from branchline.config.mlproject import Project
from branchline.config.targets import LocalTarget, Target
from branchline.errors import BadInput
from branchline.platforms.base import PRODUCTION, ScheduledJob
from branchline.platforms.project_files import address, upload
from branchline.records import encoded, read_object
from branchline.runs import start as triggering, summary
from branchline.runs.start import LocalPlatform
from branchline.runs.tracking import Tracking
from branchline.wheels.destinations import Destination, LocalFolder

__all__ = ["LocalProduction"]

FOLDER = ".local/production"


@dataclass(frozen=True)
class LocalProduction:
    """What `production.Production` says, in `.local/production` below `root`; nothing starts by
    itself here, whatever a job's schedule."""

    place: LocalPlatform
    root: Path

    @property
    def target(self) -> LocalTarget:
        return self.place.target

    @property
    def tracking(self) -> Tracking:
        return self.place.tracking

    @property
    def wheels(self) -> Destination:
        return LocalFolder(self.root / FOLDER / "wheels")

    def releases(self, target: Target) -> Destination:
        if not isinstance(target, LocalTarget):
            raise BadInput(f"deploy.yml: target {self.target.name} takes the releases of "
                           f"{target.name}, a workspace; expected a target of this machine.")
        return self.wheels

    def project_address(self, project: Project) -> str:
        return address(project.folder, project.name, self._folder)

    def copy_project(self, project: Project) -> str:
        return upload(project.folder, project.name, self._folder)

    def settings(self, job: ScheduledJob) -> dict[str, Any]:
        return {"entry_point": job.request.entry_point, "parameters": dict(job.request.parameters),
                "project": job.copy, "wheel": job.wheel, "run_as": job.run_as,
                "schedule": asdict(job.schedule) if job.schedule else None, "tags": dict(job.tags)}

    def actual(self, name: str) -> dict[str, Any] | None:
        return read_object(f"jobs/{name}.json", self._folder)

    def put(self, name: str, settings: Mapping[str, Any]) -> None:
        self._folder.replace(f"jobs/{name}.json", encoded(settings))

    def remove(self, name: str) -> None:
        self._folder.delete(f"jobs/{name}.json")

    def run(self, name: str) -> None:
        job = self.actual(name)
        if job is None:
            raise BadInput(f"job {name}: not in {FOLDER}/jobs; deploy it first.")
        project = Project.read(Path(job["project"]))
        asked = triggering.request(self.root, self.target, project, job["entry_point"],
                                   job["parameters"], PRODUCTION, Path(job["wheel"]))
        summary.show_end(self.tracking, triggering.start(self.place, asked, os.environ))

    @property
    def _folder(self) -> Destination:
        return LocalFolder(self.root / FOLDER)
