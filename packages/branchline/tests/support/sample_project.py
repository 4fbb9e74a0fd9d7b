"""A small project without steps, as a request and as a run that was started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from branchline.branch import Branch
from branchline.config.mlproject import Project
from branchline.runs.request import Request, tags
from branchline.runs.tracking import Tracking
from branchline.wheels.source import Source
from support.clone import ROOT

SAMPLE = Project.read(ROOT / "tests" / "sample-project")


def request(parameters: Mapping[str, str], *built: Path) -> Request:
    values = SAMPLE.entry_point("main").check(parameters)
    return Request(ROOT, SAMPLE, "main", values, Branch("branch", "feature/a"), built)


def started(tracking: Tracking, asked: Request, name: str) -> tuple[str, str]:
    experiment_id = tracking.experiment(f"/branchline/sample-project/{name}")
    source = Source("1.0", "c0ffee" * 6 + "c0ff", None)
    run_id = tracking.start(experiment_id, "main", tags(asked, source, "me", "local"),
                            asked.parameters)
    return experiment_id, run_id
