from __future__ import annotations

from pathlib import Path

import pytest

from branchline.lakehouse import Column, Table
from branchline.lakehouse.folder import Folder

TABLE = Table("gold.things", "Things", ("id",), (Column("id", "BIGINT", "Its number"),))


@pytest.mark.parametrize(("file", "is_whole"), [
    ("00000000000000000000.json", True), ("00000000000000000010.checkpoint.parquet", True),
    (".00000000000000000000.json.6f1c.tmp", False)])
def test_what_a_killed_copy_left_without_a_commit_is_removed(
        tmp_path: Path, file: str, is_whole: bool) -> None:
    folder = Folder(None, str(tmp_path), "a_branch")  # type: ignore[arg-type]
    log = tmp_path / "a_branch" / "gold" / "things" / "_delta_log"
    log.mkdir(parents=True)
    (log / file).touch()
    assert folder.is_whole(TABLE) is is_whole
    assert log.exists() is is_whole
