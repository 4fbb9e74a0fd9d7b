from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from branchline.config.mlproject import find_project
from branchline.errors import BadInput
from fraud_detection.settings import ON_REQUEST, STEPS, Columns, Settings
from support.clone import ROOT

PROJECTS = ROOT / "mlflow-notebooks"


def test_the_project_s_defaults_are_the_settings_defaults() -> None:
    parameters = find_project("fraud-training", PROJECTS).entry_point("main").parameters
    arguments = [part for name, parameter in parameters.items() if name != "columns"
                 for part in (f"--{name}", str(parameter.default))]
    settings = Settings.from_arguments(arguments)
    assert dataclasses.replace(settings, lakehouse=Settings().lakehouse) == Settings()


def test_every_setting_is_a_parameter_of_the_project() -> None:
    parameters = find_project("fraud-training", PROJECTS).entry_point("main").parameters
    assert set(parameters) == {setting.name for setting in dataclasses.fields(Settings)}


def test_every_step_is_an_entry_point_that_runs_it_alone() -> None:
    project = find_project("fraud-training", PROJECTS)
    assert tuple(name for name in project.entry_points if name != "main") == (
        STEPS + ON_REQUEST)
    for step in STEPS + ON_REQUEST:
        assert project.entry_point(step).parameters["steps"].default == step


def test_what_the_gate_alone_asks_for_is_not_among_the_default_steps() -> None:
    assert ON_REQUEST == ("compare",) and not set(ON_REQUEST) & set(Settings().steps)
    assert Settings.from_arguments(["--steps", "compare"]).steps == ("compare",)


def test_arguments_become_values_of_their_kind() -> None:
    settings = Settings.from_arguments(["--steps", "train, ingest", "--test_start", "2018-08-08",
                                        "--train_days", "7", "--model_uri", ""])
    assert settings.steps == ("ingest", "train")
    assert settings.test_start == date(2018, 8, 8) and settings.train_days == 7
    assert settings.model_uri is None


@pytest.mark.parametrize(("arguments", "line"), [
    (["--train_days", "x"], "--train_days is 'x'; expected a number."),
    (["--test_start", "8.8.18"], "expected a date"),
    (["--steps", "trian"], "step 'trian' is unknown; expected some of ingest"),
    (["--trian_days", "3"], "argument --trian_days is unknown"),
])
def test_arguments_that_cannot_be_used_are_told_in_one_line(arguments: list[str],
                                                            line: str) -> None:
    with pytest.raises(BadInput) as refused:
        Settings.from_arguments(arguments)
    assert line in str(refused.value) and "\n" not in str(refused.value)


def mapping(folder: Path, text: str) -> Path:
    path = folder / "columns.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_names_columns_and_the_unit_of_times(tmp_path: Path) -> None:
    columns = Columns.read(mapping(tmp_path, "customer_id: CARD\nis_fraud: null\n"
                                             "event_time: {column: T, epoch: milliseconds}"))
    assert dict(columns.names)["customer_id"] == "CARD"
    assert dict(columns.names)["event_time"] == "T" and columns.epoch == "milliseconds"
    assert dict(columns.names)["amount"] == "amount" and dict(columns.names)["is_fraud"] == ""


@pytest.mark.parametrize(("text", "line"), [
    ("custmer_id: CARD", "column custmer_id is unknown; expected some of transaction_id"),
    ("event_time: {column: T, epoch: days}", "event_time.epoch is 'days'; expected one of seconds"),
    ("amount: 3", "column amount is 3; expected the column's name"),
    ("- amount", "holds a list; expected lines like"),
    ("a: [", "cannot be read as YAML"),
])
def test_a_mapping_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, text: str,
                                                           line: str) -> None:
    with pytest.raises(BadInput) as refused:
        Columns.read(mapping(tmp_path, text))
    assert line in str(refused.value) and "\n" not in str(refused.value)


def test_other_data_and_other_mappings_have_tables_of_their_own() -> None:
    plain = Settings(schema="main")
    schemas = {plain.tables_schema, Settings(schema="main", data="/a/data.csv").tables_schema,
               Settings(schema="main", data="/b/data.csv").tables_schema,
               Settings(schema="main", data="/a/data.csv",
                        columns=Columns(epoch="seconds")).tables_schema}
    assert plain.tables_schema == "main" and len(schemas) == 4
    assert all(name.replace("_", "").isalnum() for name in schemas)
