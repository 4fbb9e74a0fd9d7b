from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline import Lakehouse
from fraud_detection.data.tables import BRONZE_TRANSACTIONS
from fraud_detection.settings import Columns, Settings
from fraud_detection.steps import ingest
from tests.conftest import COLUMNS

pytestmark = pytest.mark.spark
HEADER = "transaction_id,event_time,customer_id,terminal_id,amount,is_fraud\n"
ROW = "{},2024-01-01 10:00:00,c,t,1,0\n"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "land ing {1}"
    (folder / "sub").mkdir(parents=True)
    return folder


def land(path: Path, *ids: int) -> None:
    path.write_text(HEADER + "".join(ROW.format(name) for name in ids))


def ids(lakehouse: Lakehouse) -> list[str]:
    rows = lakehouse.read(BRONZE_TRANSACTIONS).select("transaction_id").collect()
    return sorted(row[0] for row in rows if row[0])


def test_each_file_is_taken_once_and_new_ones_on_the_next_run(
        lakehouse: Lakehouse, landing: Path) -> None:
    settings = Settings(data=str(landing))
    land(landing / "a.csv", 1, 2)
    land(landing / "sub" / "b 1.csv", 3)
    assert ingest.run(lakehouse, settings) == {"rows": 3, "files": 2, "unreadable": 0}
    assert ingest.run(lakehouse, settings) == {"rows": 0, "files": 0, "unreadable": 0}
    land(landing / "old.csv", 4)
    os.utime(landing / "old.csv", (0, 0))  # copied with its time, long before the others
    (landing / "c.png").write_bytes(b"\x89PNG")
    assert ingest.run(lakehouse, settings) == {"rows": 2, "files": 2, "unreadable": 1}
    assert ids(lakehouse) == ["1", "2", "3", "4"]


def test_one_file_alone_is_taken_and_its_neighbours_are_not(
        lakehouse: Lakehouse, landing: Path) -> None:
    land(landing / "a[1].csv", 1)
    land(landing / "a1.csv", 2)
    ingest.run(lakehouse, Settings(data=str(landing / "a[1].csv")))
    assert ids(lakehouse) == ["1"]


def test_a_missing_column_takes_no_file_of_the_batch_and_the_next_run_takes_all(
        lakehouse: Lakehouse, landing: Path) -> None:
    settings = Settings(data=str(landing))
    land(landing / "a.csv", 1)
    (landing / "b.csv").write_text("transaction_id,event_time,customer_id,amount\n1,t,c,1\n")
    with pytest.raises(BadInput, match="b.csv: column terminal_id, is_fraud is missing"):
        ingest.run(lakehouse, settings)
    assert ids(lakehouse) == []
    land(landing / "b.csv", 2)
    ingest.run(lakehouse, settings)
    assert ids(lakehouse) == ["1", "2"]


def test_columns_that_are_kept_out_are_reported(
        lakehouse: Lakehouse, landing: Path, caplog: pytest.LogCaptureFixture) -> None:
    (landing / "a.csv").write_text(HEADER.strip() + ",scenario\n" + ROW.format(1).strip() + ",3\n")
    ingest.run(lakehouse, Settings(data=str(landing)))
    assert "kept out: column scenario" in caplog.text


def test_data_that_are_not_there_are_bad_input(lakehouse: Lakehouse, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        ingest.run(lakehouse, Settings(data=str(tmp_path / "nowhere")))


def test_simulated_data_need_nothing(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch,
                                     ) -> None:
    from fraud_detection.data import simulator
    small = replace(simulator.World(), customers=20, terminals=40, days=5)
    monkeypatch.setattr(simulator, "World", lambda: small)
    counts = ingest.run(lakehouse, Settings(columns=Columns.read(COLUMNS)))
    assert counts["rows"] == len(simulator.simulate(small)) > 0
