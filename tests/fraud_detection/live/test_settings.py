from __future__ import annotations

import re

from branchline.config.declaration import check, declared
from branchline.config.deploy_file import read_deploy_file
from branchline.config.mlproject import find_project
from fraud_detection.live.pipeline import PIPELINE
from fraud_detection.live.settings import ScoringSettings
from support.clone import ROOT

PROJECTS = ROOT / "mlflow-notebooks"
SCORING = PROJECTS / "fraud-scoring"


def test_the_mlproject_file_is_as_the_code_declares() -> None:
    project = find_project("fraud-scoring", PROJECTS)
    assert declared(project) is PIPELINE
    check(project, PIPELINE)


def test_the_project_s_defaults_are_the_settings_defaults() -> None:
    arguments = [part for each in PIPELINE.parameters if each.name not in ("columns", "steps")
                 for part in (f"--{each.name}", str(each.default))]
    assert PIPELINE.read(arguments) == ScoringSettings()


def test_a_run_scores_in_batch_unless_the_stream_is_asked_for() -> None:
    assert [step.name for step in PIPELINE.asked(ScoringSettings())] == ["batch"]
    assert [step.name for step in PIPELINE.asked(PIPELINE.read(["--steps", "stream"]))] == [
        "stream"]


def test_every_step_has_a_cell_in_the_project() -> None:
    main = (SCORING / "main.py").read_text()
    assert tuple(re.findall(r"^job\.run\((\w+)\.step\)$", main, re.MULTILINE)) == tuple(
        step.name for step in PIPELINE.steps)


def test_no_table_of_the_stream_is_versioned_by_deployment() -> None:
    assert not any(table.versioned for step in PIPELINE.steps for table in step.writes)


def test_the_shipped_job_runs_the_stream_all_the_time() -> None:
    [job] = read_deploy_file(SCORING / "deploy.yml").jobs
    assert job.continuous and job.entry_point == "stream" and job.schedule is None
    find_project("fraud-scoring", PROJECTS).entry_point("stream").check(job.parameters)
