from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from branchline.spark.class_path import ARCHIVE, archive_folder, jvm_settings
from branchline.spark.jars import java

PATH = "spark.driver.extraClassPath"
OPTIONS = "spark.driver.extraJavaOptions"


@pytest.fixture
def delta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A jar, in a cache without an archive."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "the cache"))
    jar = tmp_path / "delta.jar"
    jar.write_text("x")
    return [jar]


def archive(delta: list[Path], content: bytes = b"no archive") -> Path:
    file = archive_folder(delta, "-Xmn1g") / ARCHIVE
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return file


def test_without_an_archive_the_class_path_gets_delta_and_the_jvm_its_options(
        delta: list[Path]) -> None:
    found = jvm_settings(delta, "-Xmn1g")
    assert found[PATH] == str(delta[0])
    assert found[OPTIONS].endswith(" -Xmn1g")
    assert "SharedArchive" not in found[OPTIONS]


def test_an_archive_s_own_jars_come_first_on_the_class_path(delta: list[Path]) -> None:
    file = archive(delta)
    found = jvm_settings(delta, "-Xmn1g")
    assert found[PATH] == f"{file.parent}/*:{delta[0]}"
    assert f"-XX:SharedArchiveFile={file}" in shlex.split(found[OPTIONS])


def test_a_folder_whose_archive_is_not_made_yet_is_not_used(delta: list[Path]) -> None:
    archive(delta).unlink()
    assert jvm_settings(delta, "-Xmn1g")[PATH] == str(delta[0])


def test_other_jars_options_or_java_have_another_archive(
        delta: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [archive_folder(delta, "-Xmn1g"), archive_folder(delta, "-Xmn2g")]
    delta[0].write_text("another build of the same version")
    folders.append(archive_folder(delta, "-Xmn1g"))
    (tmp_path / "java" / "bin").mkdir(parents=True)
    (tmp_path / "java" / "bin" / "java").touch(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    folders.append(archive_folder(delta, "-Xmn1g"))
    (tmp_path / "java" / "release").write_text('IMPLEMENTOR="Another vendor"')
    folders.append(archive_folder(delta, "-Xmn1g"))
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\xf0\x0b\xab\xa2" * 5000],
                         ids=["empty", "text", "right first bytes"])
def test_the_jvm_starts_with_an_archive_that_is_none_and_prints_nothing_to_stdout(
        delta: list[Path], content: bytes) -> None:
    archive(delta, content)
    options = shlex.split(jvm_settings(delta, "-Xmn1g")[OPTIONS])
    done = subprocess.run([java(), *options, "-version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert "version" in done.stderr
