from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.mlproject import Project, find_project
from branchline.errors import BadInput
from support.clone import ROOT

MLPROJECT = """
name: greeting
entry_points:
  main:
    parameters:
      who: {default: world}
      times: {type: integer, default: 1}
      loud: {choices: [yes-please, no], default: no}
      volume: float
      file: {type: path, default: ""}
      since: {type: date, default: ""}
    command: python main.py {who}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "greeting"
    folder.mkdir()
    (folder / "MLproject").write_text(MLPROJECT)
    return find_project("greeting", tmp_path)


def test_defaults_fill_in_what_was_not_given(project: Project) -> None:
    values = project.entry_point("main").check({"volume": "1.5"})
    assert values == {"who": "world", "times": "1", "loud": "False", "volume": "1.5", "file": "",
                      "since": ""}


@pytest.mark.parametrize(("given", "line"), [
    ({"volum": "1"}, "parameter volum is unknown to entry point main; accepted: who, times"),
    ({}, "parameter volume is missing; pass -P volume=float."),
    ({"volume": "loud"}, "parameter volume is 'loud'; expected a number."),
    ({"volume": "1", "times": "2.5"}, "parameter times is '2.5'; expected a whole number."),
    ({"volume": "1", "loud": "perhaps"}, "'perhaps'; expected one of yes-please, False."),
    ({"volume": "1", "since": "08/08/2018"}, "expected a date (YYYY-MM-DD)."),
])
def test_what_cannot_be_used_is_reported_in_one_line(
        project: Project, given: dict[str, str], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        project.entry_point("main").check(given)
    assert line in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.slow
def test_a_command_is_filled_in_as_mlflow_does_it() -> None:
    from mlflow.projects.utils import load_project
    ours = find_project("fraud-training", ROOT / "mlflow-notebooks")
    values = ours.entry_point("train").check({"data": "/Volumes/it's $(odd)/a b"})
    theirs = load_project(str(ours.folder)).get_entry_point("train")
    assert ours.entry_point("train").filled(values) == theirs.compute_command(values, None)


def test_a_location_is_checked_by_the_target(project: Project) -> None:
    def locate(text: str) -> str:
        if text != "data.csv":
            raise ValueError("data.csv")
        return "/there/data.csv"

    point = project.entry_point("main")
    assert point.check({"volume": "1", "file": "data.csv"}, locate)["file"] == "/there/data.csv"
    with pytest.raises(BadInput, match="parameter file is 'other'; expected data.csv."):
        point.check({"volume": "1", "file": "other"}, locate)


def test_an_unknown_project_or_entry_point_lists_those_there_are(
        project: Project, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found greeting"):
        find_project("greetings", tmp_path)
    with pytest.raises(BadInput, match="expected one of main"):
        project.entry_point("train")


@pytest.mark.parametrize("content", ["", "entry_points: 3", "name: x", "a: [", "- a"])
def test_a_file_that_is_no_mlproject_is_bad_input(tmp_path: Path, content: str) -> None:
    (tmp_path / "MLproject").write_text(content)
    with pytest.raises(BadInput, match="is not an MLproject file"):
        Project.read(tmp_path)


def test_a_type_that_nobody_knows_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text(
        "entry_points: {main: {parameters: {n: {type: numbr}}, command: x}}")
    with pytest.raises(BadInput, match="type 'numbr'; expected one of string"):
        Project.read(tmp_path)


def test_minimum_bounds_a_number(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("entry_points: {main: {parameters: "
                                        "{n: {type: integer, minimum: 1}}, command: x}}")
    point = Project.read(tmp_path).entry_point("main")
    assert point.check({"n": "1"}) == {"n": "1"}
    with pytest.raises(BadInput, match="n is '0'; expected a whole number of at least 1"):
        point.check({"n": "0"})
