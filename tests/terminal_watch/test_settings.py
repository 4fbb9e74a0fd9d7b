from __future__ import annotations

import re

from branchline.config.declaration import check, declared
from branchline.config.deploy_file import read_deploy_file
from branchline.config.gate_file import read_policy
from branchline.config.mlproject import find_project
from support.clone import ROOT
from terminal_watch.outcomes import KPIS
from terminal_watch.pipeline import PIPELINE
from terminal_watch.settings import Settings

FOLDER = ROOT / "mlflow-notebooks" / "terminal-watch"


def test_the_mlproject_file_is_as_the_code_declares() -> None:
    project = find_project("terminal-watch", ROOT / "mlflow-notebooks")
    assert declared(project) is PIPELINE
    check(project, PIPELINE)


def test_the_project_s_defaults_are_the_settings_defaults() -> None:
    arguments = [part for each in PIPELINE.parameters if each.name not in ("columns", "steps")
                 for part in (f"--{each.name}", str(each.default))]
    assert PIPELINE.read(arguments) == Settings()


def test_every_step_has_a_cell_in_the_project() -> None:
    main = (FOLDER / "main.py").read_text()
    assert tuple(re.findall(r"^job\.run\((\w+)\.step\)$", main, re.MULTILINE)) == tuple(
        step.name for step in PIPELINE.steps)


def test_the_policy_asks_for_metrics_that_are_measured() -> None:
    assert {rule.name for rule in read_policy(FOLDER / "gate.yml").metrics} <= KPIS.keys()


def test_the_job_in_production_names_existing_steps() -> None:
    jobs = read_deploy_file(FOLDER / "deploy.yml").jobs
    point = find_project("terminal-watch", ROOT / "mlflow-notebooks").entry_point("main")
    for job in jobs:
        point.check(dict(job.parameters))


def test_both_projects_use_the_same_column_names_for_the_published_data() -> None:
    other = ROOT / "mlflow-notebooks" / "fraud-training" / "columns.yml"
    assert (FOLDER / "columns.yml").read_text() == other.read_text()
