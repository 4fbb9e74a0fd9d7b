from __future__ import annotations

from pathlib import Path

from branchline.config.targets import LocalTarget
from branchline.platforms.local.platform import LocalPlatform
from branchline.runs.tracking import Tracking


def test_a_dropped_schema_takes_its_other_data_along_and_nothing_else(tmp_path: Path) -> None:
    target = LocalTarget("local", "sqlite:///none.db", "tables", "/branchline")
    for name in ("main", "main__gate_1", "main__gate_1__data", "main__gate_12"):
        (tmp_path / "tables" / name / "gold").mkdir(parents=True)
    LocalPlatform(target, tmp_path, Tracking("sqlite:///none.db", None)).drop_schema("main__gate_1")
    assert {folder.name for folder in (tmp_path / "tables").iterdir()} == {"main", "main__gate_12"}
