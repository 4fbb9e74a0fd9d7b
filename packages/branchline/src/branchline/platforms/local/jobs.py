"""Deployed jobs on this machine: one JSON file each; schedules are stored but not run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from branchline.branch import PRODUCTION
from branchline.config.mlproject import Project
from branchline.errors import BadInput
from branchline.platforms.base import ScheduledJob
from branchline.records import Format, encoded, read_object
from branchline.runs import summary
from branchline.runs.request import Asked, request
from branchline.runs.start import Launcher, start
from branchline.wheels.artifacts import WHEEL
from branchline.wheels.destinations import Destination, LocalFolder

__all__ = ["FOLDER", "LocalJobs"]

FOLDER = ".local/production"
FORMAT = Format("job", 1)


@dataclass(frozen=True)
class LocalJobs:
    """The jobs in `.local/production/jobs` below `root`, whatever their schedules."""

    launcher: Launcher
    root: Path

    def settings(self, job: ScheduledJob) -> dict[str, Any]:
        return {"entry_point": job.request.entry_point, "parameters": dict(job.request.parameters),
                "project": job.copy, "run_as": job.run_as,
                "wheels": [each.reference for each in job.artifacts if each.kind == WHEEL],
                "schedule": asdict(job.schedule) if job.schedule else None, "tags": dict(job.tags),
                **({"continuous": True} if job.continuous else {})}

    def actual(self, name: str) -> dict[str, Any] | None:
        path = f"jobs/{name}.json"
        content = read_object(path, self._folder)
        return None if content is None else FORMAT.read(content, self._folder.reference(path))

    def put(self, name: str, settings: Mapping[str, Any]) -> None:
        self._folder.replace(f"jobs/{name}.json", encoded(FORMAT.written(settings)))

    def remove(self, name: str) -> None:
        self._folder.delete(f"jobs/{name}.json")

    def run(self, name: str) -> None:
        job = self.actual(name)
        if job is None:
            raise BadInput(f"job {name}: not in {FOLDER}/jobs; deploy it first.")
        project = Project.read(Path(job["project"]))
        # An older branchline deployed one wheel.
        wheels = job["wheels"] if "wheels" in job else [job["wheel"]]
        asked = Asked(job["entry_point"], job["parameters"], tuple(map(Path, wheels)))
        checked = request(self.root, self.launcher.target, project, PRODUCTION, asked)
        summary.show_end(self.launcher.tracking, start(self.launcher, checked, os.environ))

    @property
    def _folder(self) -> Destination:
        return LocalFolder(self.root / FOLDER)
