from __future__ import annotations

import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from branchline import wheel
from branchline.errors import BadInput
from branchline.source import source_of
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.mark.spark
def test_the_wheel_has_the_version_of_the_source(built: Path) -> None:
    assert wheel.version_of(built) == source_of(ROOT).version


@pytest.mark.spark
def test_the_wheel_holds_both_packages_whole(built: Path) -> None:
    inside = {name for name in zipfile.ZipFile(built).namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "src"],
        capture_output=True, text=True, check=True).stdout.split()
    assert inside == {name.removeprefix("src/") for name in tracked}


@pytest.mark.spark
def test_the_wheel_requires_neither_spark_nor_delta_but_for_local_runs(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    spark = [line for line in metadata.get_all("Requires-Dist") or [] if "spark" in line]
    assert spark and all("extra == 'local'" in line for line in spark)
    assert metadata["Requires-Python"] == ">=3.11"


def test_a_path_that_is_no_wheel_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for path in (tmp_path / "notes.txt", tmp_path / "branchline-1.0-py3-none-any.whl"):
        with pytest.raises(BadInput, match="no such wheel file; build one with `make wheel`"):
            wheel.version_of(path)
