"""A branch that begins with main's tables takes what lands next, each row exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline import Job, Lakehouse
from branchline.reuse.begin import begin
from fraud_detection.pipeline import PIPELINE
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest
from tests.fraud_detection.landed import HEADER
from tests.tables import contents


def land(folder: Path, name: str, *rows: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows))


def counts(lakehouse: Lakehouse, settings: Settings) -> dict[str, Mapping[str, int]]:
    """The counts of the steps that ran."""
    job = Job(PIPELINE, settings, lakehouse)
    found = {step.name: job.run(step) for step in PIPELINE.steps}
    job._held.close()
    return {name: each for name, each in found.items() if each is not None}


@pytest.mark.spark
def test_ingest_and_prepare_go_on_from_where_main_stood(
        run: Any, lakehouse: Lakehouse, tmp_path: Path) -> None:
    folder = tmp_path / "landed"
    settings = Settings(data=str(folder), steps=("ingest", "prepare"), schema="main")
    main, branch = (Lakehouse(lakehouse.spark, lakehouse.root,
                              replace(settings, schema=name).tables_schema)
                    for name in ("main", "branch"))
    land(folder, "a.csv", "1,2018-04-01 10:00:00,c,t,1.5,0", "2,2018-04-01 11:00:00,c,t,-1,0")
    counts(main, settings)
    land(folder, "b.csv", "3,2018-04-01 10:00:00,c,t,2,0")
    counts(main, settings)
    before = contents(main)

    settings = replace(settings, schema="branch", base="main")
    assert begin(PIPELINE, settings, branch).startswith(f"5 tables of {main.schema}; no VACUUM")
    assert contents(branch) == before
    same = counts(branch, settings)
    assert list(same) == ["ingest"] and same["ingest"]["rows"] == 0

    land(folder, "c.csv", "1,2018-04-01 10:00:00,c,t,1.5,0", "4,2018-04-01 12:00:00,c,t,3,0")
    more = counts(branch, replace(settings, verify="false"))
    assert more["ingest"]["files"] == 1
    assert more["prepare"] == {"rows": 5, "silver": 3, "quarantine": 1, "duplicates": 1}
    assert contents(main) == before


def test_on_main_s_tables_the_simulated_transactions_are_main_s_own(tmp_path: Path) -> None:
    note = tmp_path / "a_branch" / "_base" / "versions.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"format": "clones/1", "from": "main", "commits": {"bronze.files": "0/1"}, '
                    '"until": "2018-04-01T00:00:00+00:00", "missing": []}')
    tables = Lakehouse(None, str(tmp_path), "a_branch")  # type: ignore[arg-type]
    assert ingest._landing(tables, Settings()) == str(tmp_path / "main" / "_landing")
    assert not (tmp_path / "main").exists()
