"""A branch that begins with main's tables takes what lands next, each row exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline import Lakehouse, Settings as Common
from branchline.lakehouse.clones import clone_missing
from fraud_detection.pipeline import PIPELINE
from fraud_detection.settings import Settings
from tests.fraud_detection.landed import HEADER
from tests.tables import contents, run_steps

pytestmark = pytest.mark.spark


def land(folder: Path, name: str, *rows: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows))


def settings(folder: Path) -> Common:
    return Settings(data=str(folder), steps=("ingest", "prepare"), verify="true")


def test_ingest_and_prepare_go_on_from_where_main_stood(
        lakehouse: Lakehouse, tmp_path: Path) -> None:
    main, folder = Lakehouse(lakehouse.spark, lakehouse.root, "main"), tmp_path / "landed"
    land(folder, "a.csv", "1,2018-04-01 10:00:00,c,t,1.5,0", "2,2018-04-01 11:00:00,c,t,-1,0")
    run_steps(main, settings(folder))
    land(folder, "b.csv", "3,2018-04-01 10:00:00,c,t,2,0")
    run_steps(main, settings(folder))
    before = contents(main)
    clone_missing(main, lakehouse, PIPELINE.tables)
    assert contents(lakehouse) == before

    nothing = run_steps(lakehouse, settings(folder))
    assert nothing["ingest"]["rows"] == 0 and contents(lakehouse) == before
    land(folder, "c.csv", "1,2018-04-01 10:00:00,c,t,1.5,0", "4,2018-04-01 12:00:00,c,t,3,0")
    counts = run_steps(lakehouse, settings(folder))
    assert counts["ingest"]["files"] == 1
    assert counts["prepare"] == {"rows": 5, "silver": 3, "quarantine": 1, "duplicates": 1}
    assert contents(main) == before
