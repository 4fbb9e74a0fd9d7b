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
def test_a_command_is_filled_in_as_in_mlflow() -> None:
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


def test_the_error_for_an_unknown_project_or_entry_point_lists_the_known_ones(
        project: Project, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found greeting"):
        find_project("greetings", tmp_path)
    with pytest.raises(BadInput, match="expected one of main"):
        project.entry_point("train")


MAIN = "entry_points:\n  main:\n    command: x\n"
P = MAIN + "    parameters:\n      n: "


@pytest.mark.parametrize(("content", "line"), [
    ("", "line 1: lacks entry_points; expected at least the entry point main."),
    ("name: x", "line 1: lacks entry_points"),
    ("entry_points: 3", "line 1: entry_points is 3; expected lines such as `key: value`."),
    ("a: [", "line 1: cannot be read as YAML"),
    ("- a", "line 1: the file is ['a']; expected lines such as"),
    ("name: 3\n" + MAIN, "line 1: name is 3; expected text; put it in quotes."),
    ("entry_points:\n  main: {}", "line 2: entry point main lacks command."),
    ("entry_points:\n  main: x", "line 2: main is 'x'; expected lines such as"),
    (MAIN.replace("x", "python {a}"), "line 3: command of entry point main cannot be filled in: "
                                      "'a'; expected {NAME} of its parameters: none."),
    (MAIN.replace("x", "python }"), "line 3: command of entry point main cannot be filled in"),
    (MAIN + "  main: {command: y}", "line 4: key main occurs twice, first in line 2; expected"),
    (MAIN + "  1: {command: y}", "line 4: key 1 is a number; expected text"),
    (MAIN + "  null: {command: y}", "line 4: key null is null; expected text"),
    (P + "{type: numbr}", "line 5: type is 'numbr'; expected one of string, integer, float"),
    (P + "numbr", "line 5: n is 'numbr'; expected one of string"),
    (P + "{default: .nan}", "line 5: default is .nan; expected a finite number"),
    (P + "{default: [1]}", "line 5: default is [1]; expected one value"),
    (P + "{choices: yes}", "line 5: choices is yes; expected a list"),
    (P + "{minimum: few}", "line 5: minimum is 'few'; expected a number."),
    (P + "{help: 3}", "line 5: help is 3; expected text"),
    ("a: &a {b: *a}\n" + MAIN, "line 1: an alias within its own anchor"),
    ("a: &a {b: 1}\nc: {<<: *a, <<: *a}\n" + MAIN, "line 2: key << occurs twice"),
    ("a: &a 1\nc: {<<: *a}\n" + MAIN, "line 1: a merge of something else"),
    ("a: &a 1\nb: *c\n" + MAIN, "line 2: cannot be read as YAML: found undefined alias 'c'"),
    ("".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else '1'] * 9)}]\n" for i in range(9)),
     "aliases that stand for more than 20,000 values"),
    ("a: " + "[" * 5000, "line 1: nested more than 20 deep"),
])
def test_an_invalid_mlproject_is_bad_input_with_its_line(
        tmp_path: Path, content: str, line: str) -> None:
    (tmp_path / "MLproject").write_text(content)
    with pytest.raises(BadInput) as refused:
        Project.read(tmp_path)
    told = str(refused.value)
    assert told.startswith(f"{tmp_path.parent.name}/{tmp_path.name}/MLproject, line ")
    assert line in told and "\n" not in told


def test_merged_parameters_keep_their_order_and_own_keys_win(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("""entry_points:
  main:
    parameters: &all {steps: &steps {type: list, default: "load,fit"}, days: integer, who: {}}
    command: &command python {steps} {days} {who}
  fit:
    parameters: {<<: *all, steps: {<<: *steps, default: fit}, more: {default: 1}}
    command: *command
""")
    parameters = Project.read(tmp_path).entry_point("fit").parameters
    assert list(parameters) == ["steps", "days", "who", "more"]
    assert (parameters["steps"].type, parameters["steps"].default) == ("list", "fit")


@pytest.mark.slow
def test_anchors_and_merges_are_read_as_mlflow_reads_them() -> None:
    from mlflow.projects.utils import load_project
    ours = find_project("fraud-training", ROOT / "mlflow-notebooks")
    theirs = load_project(str(ours.folder))
    for name, point in ours.entry_points.items():
        assert {each.name: str(each.default) for each in
                theirs.get_entry_point(name).parameters.values()} == {
                    each: str(found.default) for each, found in point.parameters.items()}


def test_minimum_bounds_a_number(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("entry_points: {main: {parameters: "
                                        "{n: {type: integer, minimum: 1}}, command: x}}")
    point = Project.read(tmp_path).entry_point("main")
    assert point.check({"n": "1"}) == {"n": "1"}
    with pytest.raises(BadInput, match="n is '0'; expected a whole number of at least 1"):
        point.check({"n": "0"})
