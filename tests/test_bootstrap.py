"""The set-up of a machine: where it installs from, and what it refuses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import bootstrap
from support.clone import PATH, ROOT, a_persons_shell
from support.file_server import FileServer

PYPROJECT = """
[project]
name = "a-team"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["greeting"]
[project.optional-dependencies]
local = []
[tool.uv]
package = false
"""
METADATA = "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ELSEWHERE = "http://files.example"


def wheel(folder: Path) -> Path:
    file = folder / "greeting-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("greeting.py", "HELLO = 'hello'\n")
        archive.writestr("greeting-1.0.dist-info/METADATA", METADATA)
        archive.writestr("greeting-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("greeting-1.0.dist-info/RECORD", "")
    return file


def uv(folder: Path, *arguments: str, **variables: str) -> None:
    program = shutil.which("uv", path=PATH)
    assert program
    subprocess.run([program, "--quiet", "--no-cache", *arguments], cwd=folder, check=True,
                   env={**shell(), **variables})


def shell() -> dict[str, str]:
    """A person's shell that names neither index nor proxy."""
    named = {name: value for name, value in a_persons_shell("UV_", "PIP_").items()
             if not name.lower().endswith("_proxy")}
    return {**named, "PATH": PATH, "UV_NO_CACHE": "1", "UV_NO_CONFIG": "1"}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[FileServer]:
    """An index of one wheel, as a company has it."""
    folder = tmp_path / "served" / "simple" / "greeting"
    folder.mkdir(parents=True)
    file = wheel(folder)
    link = f"{file.name}#sha256={sha256(file.read_bytes()).hexdigest()}"
    (folder / "index.html").write_text(f'<a href="{link}">{file.name}</a>')
    with FileServer.of(tmp_path / "served") as server:
        yield server


@pytest.fixture
def checkout(tmp_path: Path, index: FileServer) -> Path:
    """A checkout whose uv.lock was made with an index that this machine does not reach."""
    folder = tmp_path / "a check%20out"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    shutil.copy(ROOT / "bootstrap.py", folder)
    uv(folder, "lock", "--python", sys.executable, UV_DEFAULT_INDEX=f"{index.address}/simple")
    lock = folder / "uv.lock"
    lock.write_text(lock.read_text().replace(index.address, ELSEWHERE))
    index.asked.clear()
    return folder


def set_up(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python3 bootstrap.py` as far as the environment: Java and jars are another test's."""
    return subprocess.run(
        [sys.executable, "-c", "import bootstrap; bootstrap.environment()"],
        cwd=folder, env={**shell(), "XDG_CACHE_HOME": str(folder.parent / "it's a cache"),
                         **variables}, capture_output=True, text=True)


def greeted(folder: Path) -> bool:
    program = folder / ".venv" / "bin" / "python"
    return subprocess.run([program, "-c", "import greeting"], cwd=folder).returncode == 0


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_the_index_in_the_variable_is_used(
        checkout: Path, index: FileServer, variable: str) -> None:
    done = set_up(checkout, **{variable: f"{index.address}/simple"})
    assert done.returncode == 0, done.stderr
    assert f"from {variable}" in done.stdout and index.address not in done.stdout
    assert greeted(checkout) and "/simple/greeting/" in index.asked


def test_a_file_with_another_hash_than_uv_lock_s_is_refused(
        checkout: Path, index: FileServer) -> None:
    lock = checkout / "uv.lock"
    lock.write_text(re.sub(r"sha256:\w+", "sha256:" + "0" * 64, lock.read_text()))
    done = set_up(checkout, UV_DEFAULT_INDEX=f"{index.address}/simple")
    assert done.returncode != 0 and "hash" in done.stderr.lower()


def test_without_an_index_uv_locks_addresses_are_used_through_the_proxy(
        checkout: Path, index: FileServer) -> None:
    done = set_up(checkout, HTTP_PROXY=index.address)
    assert done.returncode == 0, done.stderr
    assert greeted(checkout) and any(asked.startswith(ELSEWHERE) for asked in index.asked)


def test_a_renamed_project_is_renamed_in_uv_lock_too(
        checkout: Path, index: FileServer) -> None:
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace('name = "a-team"', 'name = "Another_Name"'))
    done = set_up(checkout, UV_DEFAULT_INDEX=f"{index.address}/simple")
    assert done.returncode == 0, done.stderr
    assert greeted(checkout) and "uv.lock      the project is another-name now" in done.stdout
    assert '"a-team"' not in (checkout / "uv.lock").read_text()


def test_on_windows_the_error_says_what_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="runs on Linux, macOS and WSL; this is Windows"):
        bootstrap.main()


def test_no_path_with_a_percent_sign_holds_the_environment(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path / "a%20b")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = bootstrap.environment_place()
    assert place.parent == tmp_path / "cache" / "branchline" / "environments"
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path / "a%20c")
    assert bootstrap.environment_place() != place
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "100%"))
    with pytest.raises(SystemExit, match="a%20c: the path holds a percent sign, and so does"):
        bootstrap.environment_place()


def test_programs_of_an_environment_elsewhere_start_from_the_checkout(
        checkout: Path, index: FileServer) -> None:
    for _ in range(2):  # as `make` does it again
        done = set_up(checkout, UV_DEFAULT_INDEX=f"{index.address}/simple")
        assert done.returncode == 0, done.stderr
    said = subprocess.run(
        [checkout / ".venv" / "bin" / "python", "-c", "import sys; print(sys.argv[1:], sys.prefix)",
         "a b", "it's", ""], capture_output=True, text=True).stdout
    assert said.startswith('[\'a b\', "it\'s", \'\'] ') and "%" not in said
    assert (checkout / ".venv" / "bin" / "activate").exists()


def test_make_finds_the_set_up_s_python_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a%20b c#work é"
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("pyproject.toml", "uv.lock", "bootstrap.py", ".venv/.ready"):
        (folder / name).touch()
    (folder / ".venv" / "bin" / "python").symlink_to(shutil.which("echo") or "/bin/echo")
    done = subprocess.run(["make", "--silent", "wheel"], cwd=folder, capture_output=True, text=True,
                          env=os.environ | {"MAKEFLAGS": ""})
    assert done.returncode == 0 and done.stdout.startswith("-m branchline"), done.stderr
