from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.wheels import build as wheel
from branchline.wheels.destinations import LocalFolder
from branchline.wheels.distributions import distributions
from branchline.wheels.publish import publish_checkout
from branchline.wheels.published import verified
from branchline.wheels.source import source_of
from support.clone import PATH, ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """The wheels of this repository."""
    return wheel.build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.mark.slow
def test_branchline_s_wheel_comes_first_and_both_name_the_same_commit(
        built: tuple[Path, ...]) -> None:
    assert [wheel.name_of(file) for file in built] == [
        one.name for one in distributions(ROOT)] and wheel.name_of(built[0]) == "branchline"
    source = source_of(ROOT)
    assert [wheel.version_of(file) for file in built] == [
        source.stamped(one.version) for one in distributions(ROOT)]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "folder"), [(0, "packages/branchline/src"), (1, "src")])
def test_each_wheel_holds_the_packages_of_its_distribution_whole(
        built: tuple[Path, ...], number: int, folder: str) -> None:
    inside = {name for name in zipfile.ZipFile(built[number]).namelist()
              if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", folder],
        capture_output=True, text=True, check=True).stdout.split()
    assert inside == {name.removeprefix(f"{folder}/") for name in tracked
                      if (ROOT / name).exists()}


@pytest.mark.slow
def test_the_wheels_require_spark_and_delta_only_for_local_runs(
        built: tuple[Path, ...]) -> None:
    for file in built:
        with zipfile.ZipFile(file) as archive:
            name = next(name for name in archive.namelist() if name.endswith("METADATA"))
            metadata = Parser().parsestr(archive.read(name).decode())
        spark = [line for line in metadata.get_all("Requires-Dist") or [] if "spark" in line]
        assert all("extra ==" in line for line in spark)
        assert metadata["Requires-Python"] == ">=3.11"


def test_a_path_that_is_not_a_wheel_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for path in (tmp_path / "notes.txt", tmp_path / "branchline-1.0-py3-none-any.whl"):
        with pytest.raises(BadInput, match="no such wheel file; build one with `make wheel`"):
            wheel.version_of(path)


PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "My-Sample.Project"
version = "1.2.0"
readme = "README.md"

[tool.hatch.build.targets.wheel]
packages = ["src/sample"]
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean checkout of a small project, with `uv` in the PATH as in any other project."""
    monkeypatch.setenv("PATH", PATH)
    folder = tmp_path / "checkout"
    (folder / "src" / "sample").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "README.md").write_text("A sample.\n")
    (folder / ".gitignore").write_text("*.secret\n")
    for name in ("__init__", "b", "a"):
        (folder / "src" / "sample" / f"{name}.py").write_text(f"NAME = {name!r}\n")
    author = ["-c", "user.name=a", "-c", "user.email=dev@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


@pytest.mark.slow
def test_the_same_files_give_the_same_bytes_elsewhere_later_and_for_another_user(
        checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = wheel.build(checkout, tmp_path / "one")[-1]
    other = tmp_path / "elsewhere" / "a copy"
    subprocess.run(["git", "clone", "-q", str(checkout), str(other)], check=True)
    for file in other.glob("src/sample/*.py"):
        file.chmod(0o700)
        os.utime(file, (10**9, 10**9))
    subprocess.run(["git", "-C", str(other), "config", "core.fileMode", "false"], check=True)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    umask = os.umask(0o077)
    try:
        second = wheel.build(other, tmp_path / "two")[-1]
    finally:
        os.umask(umask)
    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())


@pytest.mark.slow
def test_what_git_ignores_is_not_in_the_wheel_of_the_commit(
        checkout: Path, tmp_path: Path) -> None:
    first = wheel.build(checkout, tmp_path / "one")[-1].read_bytes()
    (checkout / "src" / "sample" / "password.secret").touch()
    assert wheel.build(checkout, tmp_path / "two")[-1].read_bytes() == first


@pytest.mark.slow
def test_a_changed_and_a_new_file_are_in_the_wheel(checkout: Path, tmp_path: Path) -> None:
    (checkout / "src" / "sample" / "a.py").write_text("NAME = 'changed'\n")
    (checkout / "src" / "sample" / "new.py").write_text("NAME = 'new'\n")
    (checkout / "src" / "sample" / "b.py").unlink()
    built = zipfile.ZipFile(wheel.build(checkout, tmp_path / "out")[-1])
    assert built.read("sample/a.py") == b"NAME = 'changed'\n"
    assert {name for name in built.namelist() if name.startswith("sample/")} == {
        "sample/__init__.py", "sample/a.py", "sample/new.py"}


@pytest.mark.slow
def test_a_folder_without_git_builds_without_caches(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".git")
    (checkout / "src" / "sample" / "__pycache__").mkdir()
    (checkout / "src" / "sample" / "__pycache__" / "left.txt").touch()
    built = zipfile.ZipFile(wheel.build(checkout, tmp_path / "out")[-1])
    assert {name for name in built.namelist() if name.startswith("sample/")} == {
        "sample/__init__.py", "sample/a.py", "sample/b.py"}


@pytest.mark.slow
def test_a_build_leaves_only_its_own_wheels_in_the_folder(checkout: Path) -> None:
    wheel.build_alone(checkout, checkout / "dist")
    (checkout / "src" / "sample" / "new.py").touch()
    wheel.build_alone(checkout, checkout / "dist")
    [left] = (checkout / "dist").iterdir()
    assert "sample/new.py" in zipfile.ZipFile(left).namelist()


@pytest.mark.slow
def test_a_built_wheel_installs(checkout: Path, tmp_path: Path) -> None:
    [built] = wheel.build(checkout, tmp_path / "out")
    subprocess.run(["uv", "pip", "install", "--quiet", "--no-deps", "--target",
                    str(tmp_path / "home"), str(built)], check=True)
    assert (tmp_path / "home" / "sample" / "a.py").read_text() == "NAME = 'a'\n"


@pytest.mark.slow
def test_a_checkout_is_built_and_published_once(
        checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    first = publish_checkout(checkout, destination)
    assert first.version == source_of(checkout).version
    [artifact] = first.artifacts
    assert str(artifact.path).startswith(
        f"my_sample_project/{first.version}/my_sample_project-1.2.0+g")
    assert zipfile.ZipFile(artifact.reference).read("sample/a.py") == b"NAME = 'a'\n"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # where there is no uv to build with
    found = publish_checkout(checkout, destination)
    assert verified(found.artifacts[0], destination) and found.artifacts == first.artifacts
