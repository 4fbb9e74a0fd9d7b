from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from branchline.errors import NotInstalled
from branchline.spark.jars import delta_jars, java

JARS = f"delta-spark_{'.'.join(version('pyspark').split('.')[:2])}_2.13-{version('delta-spark')}"


def program(folder: Path, text: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    path = folder / "bin" / "java"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = program(tmp_path, "true")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java() == found
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert java() == found


def test_without_java_the_error_says_what_to_install(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="Java: not found in JAVA_HOME or PATH; .*17 or 21"):
        java()


def test_jars_that_were_fetched_once_are_taken_from_the_cache(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java-is-needed"))
    folder = tmp_path / "branchline" / JARS
    folder.mkdir(parents=True)
    for name in ("b.jar", "a.jar", "notes.txt"):
        (folder / name).touch()
    assert delta_jars() == [folder / "a.jar", folder / "b.jar"]


def test_a_download_that_fails_says_why_and_leaves_nothing_behind(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "java", "echo resolving; echo 'SERVER ERROR: no route to host'; exit 1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(NotInstalled, match="could not be downloaded: SERVER ERROR: no route to"):
        delta_jars()
    assert list((tmp_path / "cache" / "branchline").iterdir()) == []
