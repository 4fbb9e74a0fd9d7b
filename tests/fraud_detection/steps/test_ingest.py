from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Lakehouse, RowsLost
from branchline.lakehouse.sources import FILES, files, taken
from fraud_detection.data.repair import repair
from fraud_detection.settings import Columns, Settings
from fraud_detection.steps import ingest
from fraud_detection.tables import BRONZE_TRANSACTIONS
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


def test_missing_data_are_bad_input(lakehouse: Lakehouse, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        ingest.run(lakehouse, Settings(data=str(tmp_path / "nowhere")))


def test_simulated_data_need_nothing(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch,
                                     ) -> None:
    from fraud_detection.data import world
    small = replace(world.World(), customers=20, terminals=40, days=5)
    monkeypatch.setattr(world, "World", lambda: small)
    counts = ingest.run(lakehouse, Settings(columns=Columns.read(COLUMNS)))
    assert counts["rows"] == len(world.simulate(small)) > 0


def test_names_of_any_kind_are_taken_once_each(lakehouse: Lakehouse, landing: Path) -> None:
    for number, name in enumerate(("x y.csv", "x%20y.csv", "a:b.csv", "c#d?e.csv", "ü.csv")):
        land(landing / name, number)
    Path(os.fsdecode(os.fsencode(landing) + b"/\xff.csv")).write_text(HEADER + ROW.format(5))
    (landing / "sub" / "loop").symlink_to(landing)
    (landing / "sub" / "nowhere").symlink_to(landing / "gone")
    settings = Settings(data=str(landing))
    assert ingest.run(lakehouse, settings) == {"rows": 6, "files": 6, "unreadable": 0}
    assert ingest.run(lakehouse, settings) == {"rows": 0, "files": 0, "unreadable": 0}
    assert ids(lakehouse) == list("012345")


def test_a_file_given_by_name_is_taken_alone_whatever_its_name(
        lakehouse: Lakehouse, landing: Path) -> None:
    land(landing / "_x.csv", 1)
    land(landing / "sub" / "_x.csv", 2)
    ingest.run(lakehouse, Settings(data=str(landing / "_x.csv")))
    assert ids(lakehouse) == ["1"]


@pytest.mark.parametrize(("data", "said"), [("", "data is empty"), ("s3://bucket/x", "not a path")])
def test_data_without_a_location_are_bad_input(lakehouse: Lakehouse, data: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ingest.run(lakehouse, Settings(data=data))


def test_a_bad_file_may_be_deleted_and_the_run_repeated(lakehouse: Lakehouse, landing: Path,
                                                        ) -> None:
    settings = Settings(data=str(landing))
    land(landing / "a.csv", 1)
    (landing / "b.csv").write_text("transaction_id,event_time\n1,t\n")
    with pytest.raises(BadInput, match="b.csv: column"):
        ingest.run(lakehouse, settings)
    (landing / "b.csv").unlink()
    ingest.run(lakehouse, settings)
    assert ids(lakehouse) == ["1"]


def test_a_taken_file_that_changes_is_reported_and_not_taken_again(
        lakehouse: Lakehouse, landing: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(data=str(landing))
    land(landing / "a.csv", 1)
    ingest.run(lakehouse, settings)
    land(landing / "a.csv", 1, 2)
    assert ingest.run(lakehouse, settings)["rows"] == 0
    assert "a.csv changed after it was taken" in caplog.text and ids(lakehouse) == ["1"]


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(
        lakehouse: Lakehouse, landing: Path, caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=str(landing))
    for number, name in enumerate(("a.csv", "b.csv", "c.csv")):
        land(landing / name, number)
    note = taken.note

    def vanishing(*given: Any) -> None:
        note(*given)
        (landing / "b.csv").unlink(missing_ok=True)

    with monkeypatch.context() as patch:
        patch.setattr(taken, "note", vanishing)
        assert ingest.run(lakehouse, settings) == {"rows": 2, "files": 2, "unreadable": 0}
    assert "b.csv changed while it was read" in caplog.text
    land(landing / "b.csv", 1)
    ingest.run(lakehouse, settings)
    assert ids(lakehouse) == ["0", "1", "2"]


def test_a_run_interrupted_between_note_and_rows_is_completed_by_the_next(
        lakehouse: Lakehouse, landing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=str(landing))
    for number in range(3):
        land(landing / f"{number}.csv", number)
        with monkeypatch.context() as patch:
            patch.setattr(files, "append_once", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                ingest.run(lakehouse, settings)
        assert ingest.run(lakehouse, settings)["rows"] == 1
    assert ids(lakehouse) == ["0", "1", "2"]


def test_a_killed_runs_late_append_loses_and_doubles_no_row(
        lakehouse: Lakehouse, landing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, append_once, left = Settings(data=str(landing)), files.append_once, []

    def killed(*arguments: Any, **note: str) -> None:
        left.append((arguments, note))
        raise KeyboardInterrupt

    def late(*arguments: Any, **note: str) -> str:
        while left:
            earlier, noted = left.pop()
            append_once(*earlier, **noted)
        return append_once(*arguments, **note)

    land(landing / "a.csv", 1)
    monkeypatch.setattr(files, "append_once", killed)
    with pytest.raises(KeyboardInterrupt):
        ingest.run(lakehouse, settings)
    land(landing / "b.csv", 2)
    monkeypatch.setattr(files, "append_once", late)
    ingest.run(lakehouse, settings)
    assert ids(lakehouse) == ["1", "2"]
    assert ingest.run(lakehouse, settings)["files"] == 0


def test_lost_notes_are_rebuilt_from_bronze(lakehouse: Lakehouse, landing: Path) -> None:
    settings = Settings(data=str(landing))
    land(landing / "a.csv", 1)
    ingest.run(lakehouse, settings)
    lakehouse.drop(FILES)
    land(landing / "b.csv", 2)
    assert ingest.run(lakehouse, settings)["rows"] == 1
    assert ids(lakehouse) == ["1", "2"]


def test_missing_bronze_stops_the_step_until_repair(
        lakehouse: Lakehouse, landing: Path) -> None:
    settings = Settings(data=str(landing))
    land(landing / "a.csv", 1)
    ingest.run(lakehouse, settings)
    lakehouse.drop(BRONZE_TRANSACTIONS)
    with pytest.raises(RowsLost, match="bronze.transactions is gone.*step repair"):
        ingest.run(lakehouse, settings)
    assert repair(lakehouse) and not repair(lakehouse)
    ingest.run(lakehouse, settings)
    assert ids(lakehouse) == ["1"]
