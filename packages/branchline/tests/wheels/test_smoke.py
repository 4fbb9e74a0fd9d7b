from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.wheels import build as wheel
from branchline.wheels.smoke import imports, modules_of
from support.clone import PATH
from support.releasing import repository
from support.workspaces import commit


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository, with `uv` in the PATH."""
    monkeypatch.setenv("PATH", PATH)
    return repository(tmp_path / "repository")


def built(root: Path, **modules: str) -> tuple[Path, ...]:
    for name, text in modules.items():
        (root / "src" / "sample" / f"{name}.py").write_text(text)
    commit(root)
    return wheel.build(root, root / "dist")


@pytest.mark.slow
def test_every_module_of_a_wheel_is_imported(root: Path) -> None:
    [file] = built(root, first="import sample.second\n", second="import json\n")
    assert modules_of(file) == ["sample", "sample.first", "sample.second"]
    assert imports([file], root) == 3


@pytest.mark.slow
def test_a_module_with_an_undeclared_requirement_is_refused(root: Path) -> None:
    files = built(root, first="import branchline\n")  # which this interpreter has
    with pytest.raises(BadInput, match="sample.first does not .*No module named 'branchline'"):
        imports(files, root)


@pytest.mark.slow
def test_main_modules_are_not_run_and_a_wheel_without_modules_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("sample/__main__.py", "raise SystemExit(1)\n")
        archive.writestr("sample-1.0.dist-info/METADATA", "Name: sample\n")
    assert modules_of(file) == []
    with pytest.raises(BadInput, match="has no module"):
        imports([file], tmp_path)
