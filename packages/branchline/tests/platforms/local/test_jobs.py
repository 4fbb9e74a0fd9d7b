"""Job files of this machine: as they are written now, as older ones were, and newer ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from branchline.config.targets import LocalTarget
from branchline.errors import BadInput
from branchline.platforms.local.jobs import FOLDER, LocalJobs
from branchline.platforms.local.platform import LocalPlatform
from branchline.runs.tracking import Tracking

# As a job's file was written before it had a format.
SAMPLE = Path(__file__).parent / "samples" / "job.json"


@pytest.fixture
def jobs(tmp_path: Path) -> LocalJobs:
    (tmp_path / FOLDER / "jobs").mkdir(parents=True)
    target = LocalTarget("local", "sqlite:///none.db", "tables", "/branchline")
    return LocalPlatform(target, tmp_path, Tracking("sqlite:///none.db", None)).jobs


def file_of(jobs: LocalJobs) -> Path:
    return jobs.root / FOLDER / "jobs" / "score.json"


def test_a_job_file_without_a_format_is_read(jobs: LocalJobs) -> None:
    file_of(jobs).write_bytes(SAMPLE.read_bytes())
    assert jobs.actual("score") == json.loads(SAMPLE.read_text())


def test_a_job_file_has_its_format_and_the_settings_are_read_without_it(jobs: LocalJobs) -> None:
    settings = json.loads(SAMPLE.read_text())
    jobs.put("score", settings)
    assert json.loads(file_of(jobs).read_text()) == {**settings, "format": "job/1"}
    assert jobs.actual("score") == settings


def test_a_newer_job_file_says_what_to_upgrade(jobs: LocalJobs) -> None:
    file_of(jobs).write_text('{"format": "job/2"}')
    with pytest.raises(BadInput, match="score.json: found format job/2; .* upgrade branchline"):
        jobs.actual("score")
