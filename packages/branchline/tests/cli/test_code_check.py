"""A project's MLproject file against its code, as the trigger checks it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from branchline.cli.code_check import check_code
from branchline.config.mlproject import Project
from branchline.errors import BadInput

CODE = """from branchline import Pipeline, Settings, Step
def run(lakehouse, settings): return {}
PIPELINE = Pipeline(Settings, (Step("load", run),))
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
    check_code(project, tmp_path)
    first = note(tmp_path)
    (tmp_path / "ours" / "__init__.py").write_text(CODE + "# changed\n")
    check_code(project, tmp_path)
    assert first and note(tmp_path) not in ("", first)


def test_a_file_that_lacks_a_step_or_a_parameter_is_one_line(
        project: Project, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        check_code(changed(project, "  load:", "  laod:"), tmp_path)
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
        check_code(project, tmp_path)
    assert line in str(refused.value) and "\n" not in str(refused.value)


def test_if_the_codes_library_is_missing_nothing_is_refused_or_remembered(
        project: Project, tmp_path: Path) -> None:
    (tmp_path / "ours" / "__init__.py").write_text("import no_such_library\n")
    check_code(project, tmp_path)
    assert note(tmp_path) == ""


def test_a_project_without_a_pipeline_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("entry_points: {main: {command: python main.py}}\n")
    check_code(Project.read(tmp_path), tmp_path)
    assert not (tmp_path / ".local").exists()
