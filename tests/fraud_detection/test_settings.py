from __future__ import annotations

import re
from datetime import date

import pytest

from branchline import BadInput
from branchline.config.declaration import check, declared
from branchline.config.mlproject import find_project
from fraud_detection.data.landed_columns import Columns
from fraud_detection.pipeline import PIPELINE
from fraud_detection.settings import Settings
from support.clone import ROOT


def test_the_mlproject_file_is_as_the_code_declares() -> None:
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    assert declared(project) is PIPELINE
    check(project, PIPELINE)


def test_the_project_s_defaults_are_the_settings_defaults() -> None:
    files = ("columns", "guardrails")
    arguments = [part for each in PIPELINE.parameters if each.name not in (*files, "steps")
                 for part in (f"--{each.name}", str(each.default))]
    assert PIPELINE.read(arguments) == Settings()


def test_steps_on_request_are_not_default_steps() -> None:
    assert [step.name for step in PIPELINE.steps if step.on_request] == [
        "compare", "repair", "reject", "backfill", "ship", "parity"]
    assert "compare" not in [step.name for step in PIPELINE.asked(Settings())]
    assert [step.name for step in PIPELINE.asked(PIPELINE.read(["--steps", "compare"]))] == [
        "compare"]


def test_every_step_has_a_cell_in_the_project() -> None:
    main = (ROOT / "mlflow-notebooks" / "fraud-training" / "main.py").read_text()
    assert tuple(re.findall(r"^job\.run\((\w+)\.step\)$", main, re.MULTILINE)) == tuple(
        step.name for step in PIPELINE.steps)


def test_arguments_become_values_of_their_kind() -> None:
    settings = PIPELINE.read(["--steps", "train, ingest", "--test_start", "2018-08-08",
                              "--train_days", "7", "--model_uri", ""])
    assert settings.steps == ("ingest", "train")
    assert settings.test_start == date(2018, 8, 8) and settings.train_days == 7
    assert settings.model_uri is None


@pytest.mark.parametrize(("name", "text"), [
    ("train_days", "999999999"), ("label_delay_days", "10000000"), ("test_days", "4000"),
    ("test_start", "0001-01-01"), ("first_day", "9999-12-31"), ("last_day", "1899-12-31"),
    ("steps", "trian"), ("seed", "-1"), ("draws", "1000000000")])
def test_absurd_values_are_refused_by_the_mlproject_file_and_by_the_code(name: str,
                                                                         text: str) -> None:
    point = find_project("fraud-training", ROOT / "mlflow-notebooks").entry_point("main")
    for refuse in (lambda: point.check({name: text}), lambda: PIPELINE.read([f"--{name}", text])):
        with pytest.raises(BadInput, match=f"^parameter {name} is '{text}'; expected "):
            refuse()


def test_other_data_and_other_mappings_have_tables_of_their_own() -> None:
    plain = Settings(schema="main")
    schemas = {plain.tables_schema, Settings(schema="main", data="/a/data.csv").tables_schema,
               Settings(schema="main", data="/b/data.csv").tables_schema,
               Settings(schema="main", data="/a/data.csv",
                        columns=Columns(epoch="seconds")).tables_schema}
    assert plain.tables_schema == "main" and len(schemas) == 4
    assert all(name.replace("_", "").isalnum() for name in schemas)
