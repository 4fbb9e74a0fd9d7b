from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.deploy_file import Job, Schedule, Where, read_deploy_file
from branchline.errors import BadInput
from support.processes import PROJECT

GOOD = """jobs:
  score:
    parameters: {who: world, count: 3}
    schedule: {quartz: "0 0 5 * * ?", timezone: Europe/Berlin}
    check: true
  monitor: {entry_point: other}
targets:
  production: {releases: staging, run_as: 6f1c1f0e-0000-4000-8000-0123456789ab}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "deploy.yml").write_text(text)
    return folder / "deploy.yml"


def test_jobs_and_what_differs_between_targets_are_read(tmp_path: Path) -> None:
    found = read_deploy_file(written(tmp_path, GOOD))
    assert found.jobs == (
        Job("score", "main", {"who": "world", "count": "3"},
            Schedule("0 0 5 * * ?", "Europe/Berlin"), True), Job("monitor", "other"))
    assert found.where("production").releases == "staging"
    assert found.where("elsewhere") == Where()
    assert found.checked == ("score",)


def test_the_releases_of_a_target_are_taken_by_another_or_by_itself(tmp_path: Path) -> None:
    found = read_deploy_file(written(tmp_path, GOOD))
    assert (found.taker_of("staging"), found.taker_of("dev")) == ("production", "dev")


def test_a_continuous_job_does_not_check_a_deployment_since_it_does_not_end(
        tmp_path: Path) -> None:
    text = GOOD.replace("    check: true\n", "").replace("entry_point: other", "continuous: true")
    found = read_deploy_file(written(tmp_path, text))
    assert found.jobs[1] == Job("monitor", continuous=True) and found.checked == ("score",)


def test_if_no_job_is_marked_all_are_checked(tmp_path: Path) -> None:
    found = read_deploy_file(written(tmp_path, GOOD.replace("    check: true\n", "")))
    assert found.checked == ("score", "monitor")


def test_the_shipped_file_deploys_scoring_and_monitoring() -> None:
    found = read_deploy_file(PROJECT / "deploy.yml")
    assert [job.name for job in found.jobs] == ["fraud-scoring", "fraud-monitoring"]


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ("jobs:", "job:", 1, "unknown key job"),
    ("  score:", "  a score:", 2, "expected a name of letters, digits, - and _"),
    ("count: 3", "count: [3]", 3, "count is [3]; expected text or a number"),
    ('"0 0 5 * * ?"', '"0 5 * * *"', 4, "expected seconds, minutes, hours"),
    ('"0 0 5 * * ?"', '"0 0 5 * * *"', 4, "with ? for one of the days"),
    ("Europe/Berlin", "Europe/Atlantis", 4, "timezone is 'Europe/Atlantis'"),
    ("check: true", "check: always", 5, "check is 'always'; expected true or false"),
    ("entry_point: other", "continuous: 1", 6, "continuous is 1; expected true or false"),
    ("check: true", "continuous: true", 4, "job score has schedule and is continuous"),
    ("entry_point: other", "continuous: true, check: true", 6, "has check and is continuous"),
    ("entry_point: other", "entrypoint: other", 6, "unknown key entrypoint"),
    ("run_as: 6f1c1f0e", "run_as: robot", 8, "expected a service principal's application id"),
])
def test_an_invalid_value_is_reported_with_its_line(tmp_path: Path, old: str, new: str, line: int,
                                                    said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as refused:
        read_deploy_file(written(tmp_path, GOOD.replace(old, new)))
    assert f"deploy.yml, line {line}: " in str(refused.value) and said in str(refused.value)


def test_a_file_without_jobs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 1: jobs is empty"):
        read_deploy_file(written(tmp_path, "jobs: {}\n"))
