from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from branchline.config.declaration import check, declared, write
from branchline.config.mlproject import Project
from branchline.errors import BadInput
from branchline.parameters import Parameter

HEAD = "# Ours.\nname: greeting\npython_env: python_env.yaml\npipeline: ours:PIPELINE\n"


@dataclass(frozen=True)
class Declared:
    names: tuple[str, ...]
    parameters: tuple[Parameter, ...]


STEPS = Parameter("steps", "list", "load,fit", ("load", "fit", "compare"), help="the steps")
DECLARED = Declared(("load", "fit", "compare"), (
    STEPS, Parameter("days", "integer", "7", minimum=1, maximum=100, help="days; at most 100"),
    Parameter("since", "date", ""), Parameter("flag", "string", "no", ("no", "yes")),
    Parameter("who", "string", "it's: #1")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "projects" / "greeting"
    made.mkdir(parents=True)
    (made / "MLproject").write_text(HEAD + "entry_points: {}\n")
    (made / "python_env.yaml").write_text("dependencies: []\n")
    write(Project.read(made), DECLARED)
    return made


def edited(folder: Path, before: str, after: str) -> Project:
    file = folder / "MLproject"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    return Project.read(folder)


def refused(project: Project, declaration: Declared = DECLARED) -> str:
    with pytest.raises(BadInput) as problem:
        check(project, declaration)
    text = str(problem.value)
    assert text.startswith("projects/greeting/MLproject, line ") and "\n" not in text
    assert text.endswith("`branchline mlproject greeting --write` updates it.")
    return text


def test_what_is_written_is_what_is_declared(folder: Path) -> None:
    project = Project.read(folder)
    check(project, DECLARED)
    assert project.pipeline == "ours:PIPELINE"
    assert tuple(project.entry_points) == ("main", "load", "fit", "compare")
    assert project.entry_point("main").parameters == {
        each.name: each for each in DECLARED.parameters}
    assert project.entry_point("fit").check({})["steps"] == "fit"


def test_writing_again_changes_nothing_and_keeps_what_stands_above(folder: Path) -> None:
    before = (folder / "MLproject").read_text()
    assert before.startswith(HEAD)
    write(Project.read(folder), DECLARED)
    assert (folder / "MLproject").read_text() == before


@pytest.mark.slow
def test_mlflow_reads_it_and_fills_in_the_command(folder: Path) -> None:
    from mlflow.projects.utils import load_project
    theirs, ours = load_project(str(folder)).get_entry_point("fit"), Project.read(folder)
    values = ours.entry_point("fit").check({"who": "a b"})
    assert theirs.compute_command(values, None) == ours.entry_point("fit").filled(values)


def test_an_unknown_step_is_refused_by_the_file_alone(folder: Path) -> None:
    for name in ("main", "fit"):
        with pytest.raises(BadInput, match="steps is 'foo'; expected some of load, fit, compare"):
            Project.read(folder).entry_point(name).check({"steps": "foo"})


def test_a_parameter_that_is_missing_is_reported_with_what_to_add(folder: Path) -> None:
    more = Declared(DECLARED.names, (*DECLARED.parameters, Parameter("n", "integer", "1")))
    text = refused(Project.read(folder), more)
    assert "parameter n of entry point main is missing; add `n: {type: integer, default: 1}" in text
    assert "(1 more)" in text  # the command does not pass it on


def test_a_step_that_is_missing_is_reported_with_what_to_add(folder: Path) -> None:
    more = Declared((*DECLARED.names, "predict"), DECLARED.parameters)
    assert "entry point predict is missing; add `predict: {parameters:" in refused(
        Project.read(folder), more)


@pytest.mark.parametrize(("before", "after", "line"), [
    ("default: 7,", "default: 8,", "parameter days of entry point main has default 8, expected 7"),
    ("maximum: 100, ", "", "parameter days of entry point main has maximum not set, expected 100"),
    ("--days {days} ", "", "the command of entry point main does not pass days on; add `--days"),
    ("default: fit}", "default: load}", "of entry point fit has default load, expected fit"),
    ("      days:", "      old: {default: ''}\n      days:", "parameter old of entry point main is "
     "not declared in the project's settings"),
])
def test_a_difference_is_reported_once_with_its_line(
        folder: Path, before: str, after: str, line: str) -> None:
    text = refused(edited(folder, before, after))
    assert line in text and "more)" not in text
    number = int(text.partition("line ")[2].partition(":")[0])
    written = (folder / "MLproject").read_text().splitlines()[number - 1]
    assert any(word in written for word in ("days:", "command:", "old:", "steps:"))


def test_an_entry_point_that_is_not_a_step_may_stay_but_is_not_overwritten(folder: Path) -> None:
    project = edited(folder, "entry_points:\n", "entry_points:\n  odd: {command: echo}\n")
    check(project, DECLARED)
    with pytest.raises(BadInput, match="entry point odd is not a step"):
        write(project, DECLARED)


@pytest.mark.parametrize(("pipeline", "line"), [
    (None, "has no line `pipeline: MODULE:NAME`"),
    ("no_such_module:PIPELINE", "pipeline no_such_module:PIPELINE cannot be imported: Module"),
    ("branchline:PIPELINE", "branchline:PIPELINE cannot be imported: AttributeError: module 'bra"),
])
def test_a_pipeline_that_cannot_be_found_is_bad_input(folder: Path, pipeline: str | None,
                                                      line: str) -> None:
    with pytest.raises(BadInput) as problem:
        declared(replace(Project.read(folder), pipeline=pipeline))
    assert line in str(problem.value)
