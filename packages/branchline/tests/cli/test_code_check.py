"""A project's MLproject file against its code, as the trigger checks it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from branchline.cli.code_check import check_code
from branchline.config.mlproject import Project
from branchline.errors import BadInput

CODE = """from dataclasses import dataclass
from pathlib import Path
from branchline import Pipeline, Settings, Step, parameter
from branchline.config.kafka_file import KafkaFile
from branchline.config.yaml_file import read_yaml
def run(lakehouse, settings): return {}
def names(text): return read_yaml(Path(text)).text("name")
def kafka(text): return KafkaFile.read(Path(text), {})
@dataclass(frozen=True)
class Ours(Settings):
    names: str = parameter("", "a file", type="location", text="names.yml", read=names)
    kafka: str = parameter("", "a file", type="location", read=kafka)
PIPELINE = Pipeline(Ours, (Step("load", run),))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "__init__.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = tmp_path / "projects" / "greeting"
    folder.mkdir(parents=True)
    (folder / "MLproject").write_text("name: greeting\npipeline: ours:PIPELINE\n")
    from branchline.config.declaration import declared, write
    write(Project.read(folder), declared(Project.read(folder)))
    for name in [each for each in sys.modules if each.partition(".")[0] == "ours"]:
        del sys.modules[name]
    return Project.read(folder)


def note(tmp_path: Path) -> str:
    file = tmp_path / ".local" / "checked-greeting"
    return file.read_text() if file.exists() else ""


def changed(project: Project, before: str, after: str) -> Project:
    file = project.folder / "MLproject"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    return Project.read(project.folder)


def test_a_file_that_fits_its_code_is_checked_once_for_each_state(
        project: Project, tmp_path: Path) -> None:
    check_code(project, tmp_path, {})
    first = note(tmp_path)
    (tmp_path / "ours" / "__init__.py").write_text(CODE + "# changed\n")
    check_code(project, tmp_path, {})
    assert first and note(tmp_path) not in ("", first)


def test_a_file_that_lacks_a_step_or_a_parameter_is_one_line(
        project: Project, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        check_code(changed(project, "  load:", "  laod:"), tmp_path, {})
    line = str(refused.value)
    assert line.startswith("projects/greeting/MLproject, line ") and "\n" not in line
    assert "entry point load is missing" in line and note(tmp_path) == ""


@pytest.mark.parametrize(("code", "line"), [
    ("def (", "line 2: pipeline ours:PIPELINE cannot be imported: SyntaxError: invalid syntax"),
    ("import ours.none", "cannot be imported: ModuleNotFoundError: No module named 'ours.none'"),
    ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
    ("", "cannot be imported: AttributeError: module 'ours' has no attribute 'PIPELINE'"),
])
def test_code_that_cannot_be_imported_is_one_line(
        project: Project, tmp_path: Path, code: str, line: str) -> None:
    (tmp_path / "ours" / "__init__.py").write_text(code)
    with pytest.raises(BadInput) as refused:
        check_code(project, tmp_path, {})
    assert line in str(refused.value) and "\n" not in str(refused.value)


def test_if_the_codes_library_is_missing_nothing_is_refused_or_remembered(
        project: Project, tmp_path: Path) -> None:
    (tmp_path / "ours" / "__init__.py").write_text("import no_such_library\n")
    check_code(project, tmp_path, {})
    assert note(tmp_path) == ""


def test_a_project_without_a_pipeline_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("entry_points: {main: {command: python main.py}}\n")
    check_code(Project.read(tmp_path), tmp_path, {})
    assert not (tmp_path / ".local").exists()


NAMES = {"names": "names.yml"}


@pytest.mark.parametrize(("content", "line"), [
    ("a: b\nname: 1\n", "names.yml, line 2: name is 1; expected text; put it in quotes."),
    (": :\n", "names.yml, line 1: "), (None, "names.yml: ")])
def test_a_file_of_the_project_that_the_code_cannot_read_is_one_line(
        project: Project, tmp_path: Path, content: str | None, line: str) -> None:
    if content is not None:
        (project.folder / "names.yml").write_text(content)
    with pytest.raises(BadInput) as refused:
        check_code(project, tmp_path, NAMES)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)
    assert note(tmp_path) == ""


def test_a_file_is_checked_again_when_it_changes(project: Project, tmp_path: Path) -> None:
    (project.folder / "names.yml").write_text("name: n\n")
    check_code(project, tmp_path, NAMES)
    assert note(tmp_path)
    (project.folder / "names.yml").write_text("nothing: n\n")
    with pytest.raises(BadInput):
        check_code(project, tmp_path, NAMES)


def test_what_only_the_machine_of_the_run_has_is_not_missed_here(
        project: Project, tmp_path: Path) -> None:
    (project.folder / "kafka.yml").write_text("bootstrap_servers: h:1\npassword_variable: P\n")
    check_code(project, tmp_path, {"kafka": "kafka.yml", "names": "/Volumes/dev/x/y/names.yml"})
    assert note(tmp_path)
