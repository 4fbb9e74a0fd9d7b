"""The files of a simulated world land whole and once."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from branchline.errors import BadInput
from fraud_detection.data.simulator import main, write
from fraud_detection.data.world import World, simulate

SMALL = World(customers=60, terminals=120, days=10, seed=3)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_files_are_named_by_their_first_and_last_day(tmp_path: Path) -> None:
    names = [path.name for path in write(World(60, 120, 95), tmp_path)]
    assert names == ["transactions_2018-04-01_2018-04-23.parquet",
                     "transactions_2018-04-24_2018-05-17.parquet",
                     "transactions_2018-05-18_2018-06-10.parquet",
                     "transactions_2018-06-11_2018-07-04.parquet"]


def test_the_files_hold_the_worlds_transactions_each_those_of_its_days(tmp_path: Path) -> None:
    tables = [pq.read_table(path) for path in write(SMALL, tmp_path, files=3)]
    assert pa.concat_tables(tables).equals(simulate(SMALL))
    assert tables[1]["TX_DATETIME"][0].as_py().date() == date(2018, 4, 4)
    assert tables[1]["TX_DATETIME"][-1].as_py() < datetime(2018, 4, 7)


def test_a_short_world_has_one_file_a_day(tmp_path: Path) -> None:
    assert len(write(World(60, 120, 2), tmp_path, files=4)) == 2


def test_a_second_write_changes_nothing(tmp_path: Path) -> None:
    first = write(SMALL, tmp_path)
    before = contents(tmp_path)
    assert write(SMALL, tmp_path) == first
    assert contents(tmp_path) == before


def test_an_interrupted_write_is_completed_with_the_same_bytes(tmp_path: Path) -> None:
    paths = write(SMALL, tmp_path)
    before = contents(tmp_path)
    paths[2].unlink()
    write(SMALL, tmp_path)
    after = contents(tmp_path)
    assert {name: data for name, (data, _) in after.items()} == {
        name: data for name, (data, _) in before.items()}
    assert after[paths[0].name] == before[paths[0].name]


def test_only_the_files_themselves_are_left(tmp_path: Path) -> None:
    assert write(SMALL, tmp_path) == sorted(tmp_path.iterdir())


def test_each_file_is_written_under_a_hidden_name_and_renamed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = pq.write_table, []

    def watch(part: pa.Table, where: Path) -> None:
        real(part, where)
        written.append((where.name[0], where.stat().st_ino))

    monkeypatch.setattr(pq, "write_table", watch)
    paths = write(SMALL, tmp_path)
    assert written == [(".", path.stat().st_ino) for path in paths]


def test_a_write_that_fails_leaves_no_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(part: pa.Table, where: Path) -> None:
        assert where.name.startswith(".")
        where.write_bytes(b"half a file")
        raise OSError("no space left")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="no space left"):
        write(SMALL, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [World(60, 120, 10, seed=4), World(60, 120, 12, seed=3)])
def test_the_folder_of_another_world_is_refused_and_unchanged(tmp_path: Path, other: World) -> None:
    write(SMALL, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(BadInput, match="never replaced; choose an empty folder") as refused:
        write(other, tmp_path)
    assert "\n" not in str(refused.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("data", [b"", b"no Parquet", b"PAR1" + b"\xff" * 40 + b"PAR1"])
def test_a_broken_file_is_never_replaced(tmp_path: Path, data: bytes) -> None:
    path = write(SMALL, tmp_path)[0]
    path.write_bytes(data)
    with pytest.raises(BadInput, match="never replaced"):
        write(SMALL, tmp_path)
    assert path.read_bytes() == data


def test_hidden_files_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()
    (tmp_path / "_checkpoint").mkdir()
    assert len(write(SMALL, tmp_path)) == 4


def test_no_files_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="files is 0"):
        write(SMALL, tmp_path, files=0)


def test_the_command_writes_the_world_and_prints_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fraud_detection.data.simulator", str(tmp_path / "new" / "landing"),
         "--customers=60", "--terminals=120", "--days=10", "--start=2020-02-25", "--seed=3"],
        capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert "% fraud, 10 days from 2020-02-25, in " in done.stdout
    paths = sorted((tmp_path / "new" / "landing").iterdir())
    world = World(60, 120, 10, start=date(2020, 2, 25), seed=3)
    assert pa.concat_tables(pq.read_table(path) for path in paths).equals(simulate(world))


@pytest.mark.parametrize(("arguments", "text"), [
    (["--days=0"], "days is 0; give 1 or more"),
    (["--days=many"], "'many' is not a valid integer"),
    (["--start=yesterday"], "'yesterday' does not match"),
    (["--sead=1"], "No such option"),
    (["another"], "unexpected extra argument")])
def test_bad_arguments_exit_with_2_and_one_line(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
        text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert text in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_named_like_the_folder_exits_with_2_and_one_line(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "landing"):
        with pytest.raises(SystemExit) as ended:
            main([str(folder), "--days=1", "--customers=1"])
        assert (ended.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
