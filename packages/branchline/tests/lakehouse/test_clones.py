from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Column, Lakehouse, Table
from branchline.errors import TablesBusy
from branchline.lakehouse.appends import append_once, appends
from branchline.lakehouse.clones import Base, base_of, clone_missing, explained
from support.processes import kill

pytestmark = pytest.mark.spark
THINGS, OTHERS, NONE = (Table(name, "Things", ("id",), (Column("id", "BIGINT", "Number", True),))
                        for name in ("silver.things", "gold.others", "gold.none"))
TABLES = (THINGS, OTHERS, NONE)


@pytest.fixture
def main(lakehouse: Lakehouse) -> Lakehouse:
    tables = Lakehouse(lakehouse.spark, lakehouse.root, "main")
    tables.create(THINGS)
    append_once(tables, THINGS, tables.spark.range(10), "writer", 3)
    tables.merge(OTHERS, tables.spark.range(5))
    return tables


def files(lakehouse: Lakehouse) -> dict[str, int]:
    """What is in the schema's folder, but for the lock, with its time of modification."""
    folder = Path(lakehouse.root, lakehouse.schema)
    return {str(file): file.stat().st_mtime_ns for file in folder.rglob("*")
            if file.is_file() and file.name != ".lock"}


def versions(base: Base | None) -> dict[str, int]:
    assert base
    return {name: int(commit.partition("/")[0]) for name, commit in base.commits.items()}


def rows(lakehouse: Lakehouse, table: Table = THINGS) -> int:
    return lakehouse.read(table).count()


def test_a_branch_begins_with_main_s_rows_and_leaves_main_s_files_alone(
        main: Lakehouse, lakehouse: Lakehouse) -> None:
    before = files(main)
    assert versions(clone_missing(main, lakehouse, TABLES)) == {
        "silver.things": 1, "gold.others": 1}
    assert rows(lakehouse) == 10 and not lakehouse.exists(NONE)
    copied = [file for file in files(lakehouse) if "_delta_log" not in file]
    assert copied == [str(Path(lakehouse.root, lakehouse.schema, "_base", "versions.json"))]

    # Delta keeps no writer's number in a clone: a new branch's writers begin anew.
    assert appends(lakehouse, THINGS) == []
    append_once(lakehouse, THINGS, lakehouse.spark.range(20, 22), "writer", 1)
    lakehouse.overwrite(OTHERS, lakehouse.spark.range(1), "true")
    lakehouse.delete(THINGS, lakehouse.spark.range(3))
    assert (rows(lakehouse), rows(lakehouse, OTHERS)) == (9, 1)
    lakehouse.drop(THINGS)
    lakehouse.drop(OTHERS)
    assert files(main) == before and (rows(main), rows(main, OTHERS)) == (10, 5)
    assert clone_missing(main, lakehouse, TABLES) is None  # what the branch dropped stays so


def test_a_killed_clone_is_finished_with_the_versions_it_began_with(
        main: Lakehouse, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Lakehouse.begin

    def killed(self: Lakehouse, table: Table, source: Lakehouse, version: int) -> None:
        if table == OTHERS:  # between the folder and its first commit
            Path(self.root, self.schema, "gold", "others", "_delta_log").mkdir(parents=True)
            raise KeyboardInterrupt
        begin(self, table, source, version)

    with monkeypatch.context() as patched:
        patched.setattr(Lakehouse, "begin", killed)
        with pytest.raises(KeyboardInterrupt):
            clone_missing(main, lakehouse, TABLES)
    for table in (THINGS, OTHERS):
        main.merge(table, main.spark.range(100))
    base = clone_missing(main, lakehouse, TABLES)
    assert versions(base) == {"silver.things": 1, "gold.others": 1}
    assert (rows(lakehouse), rows(lakehouse, OTHERS)) == (10, 5)


# Tells that it has made a clone, and waits.
CLONER = """
import sys
from pyspark.sql import SparkSession
from branchline import Column, Lakehouse, Table
from branchline.lakehouse.clones import clone_missing
class Watched(Lakehouse):
    def begin(self, table, source, version):
        super().begin(table, source, version)
        print(table.name, flush=True)
        input()
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
tables = [Table(name, "Things", ("id",), (Column("id", "BIGINT", "Number", True),))
          for name in sys.argv[4:]]
clone_missing(Lakehouse(spark, sys.argv[2], "main"), Watched(spark, *sys.argv[2:4]), tables)
"""


def test_a_process_killed_between_two_clones_and_run_again_is_as_if_it_ran_once(
        main: Lakehouse, lakehouse: Lakehouse, connect: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CLONER, connect, lakehouse.root, lakehouse.schema,
         *(table.name for table in TABLES)], start_new_session=True, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == "silver.things\n"
    with pytest.raises(TablesBusy):
        clone_missing(main, lakehouse, TABLES)
    kill(process)
    assert lakehouse.exists(THINGS) and not lakehouse.exists(OTHERS)
    once = Lakehouse(main.spark, main.root, "another_branch")
    expected = versions(clone_missing(main, once, TABLES))
    for table in (THINGS, OTHERS):
        main.merge(table, main.spark.range(100))
    assert versions(clone_missing(main, lakehouse, TABLES)) == expected
    base = base_of(lakehouse)
    assert base and base.missing == () and clone_missing(main, lakehouse, TABLES) is None
    for table in (THINGS, OTHERS):
        assert ids(lakehouse, table) == ids(once, table) and lakehouse.version(table) == 0


def ids(lakehouse: Lakehouse, table: Table) -> list[Any]:
    return sorted(row[0] for row in lakehouse.read(table).collect())


def test_a_branch_with_tables_of_its_own_keeps_them(main: Lakehouse, lakehouse: Lakehouse) -> None:
    lakehouse.merge(OTHERS, lakehouse.spark.range(1))
    assert clone_missing(main, lakehouse, TABLES) is None
    assert not lakehouse.exists(THINGS)


def test_without_tables_to_begin_with_nothing_is_cloned_until_there_are_some(
        lakehouse: Lakehouse) -> None:
    main = Lakehouse(lakehouse.spark, lakehouse.root, "main")
    assert clone_missing(main, lakehouse, TABLES) is None and base_of(lakehouse) is None
    main.merge(THINGS, main.spark.range(4))
    assert versions(clone_missing(main, lakehouse, TABLES)) == {"silver.things": 1}


def test_tables_that_a_run_is_writing_are_not_cloned(
        main: Lakehouse, lakehouse: Lakehouse) -> None:
    writing = Lakehouse(main.spark, main.root, main.schema)
    with writing.writing(), pytest.raises(TablesBusy):
        clone_missing(main, lakehouse, TABLES)
    assert clone_missing(main, lakehouse, TABLES)


def test_a_catalog_s_tables_are_cloned_too(lakehouse: Lakehouse, tmp_path: Path) -> None:
    main, branch = (Lakehouse(lakehouse.spark, "spark_catalog", f"clone_{name}", str(tmp_path))
                    for name in ("main", "branch"))
    main.merge(THINGS, main.spark.range(4))
    assert versions(clone_missing(main, branch, TABLES)) == {"silver.things": 1}
    branch.delete(THINGS, branch.spark.range(1))
    assert rows(branch) == 3
    branch.drop(THINGS)
    assert rows(main) == 4


def test_another_project_of_the_branch_clones_the_tables_that_only_it_has(
        main: Lakehouse, lakehouse: Lakehouse) -> None:
    assert versions(clone_missing(main, lakehouse, (THINGS,))) == {"silver.things": 1}
    lakehouse.delete(THINGS, lakehouse.spark.range(1))
    assert versions(clone_missing(main, lakehouse, TABLES)) == {
        "silver.things": 1, "gold.others": 1}
    assert (rows(lakehouse), rows(lakehouse, OTHERS)) == (9, 5)


def vacuum(lakehouse: Lakehouse, table: Table) -> None:
    """Remove all files that the newest version does not need, however new they are."""
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    lakehouse.spark.conf.set(check, "false")
    try:
        lakehouse.spark.sql(f"VACUUM {lakehouse.reference(table)} RETAIN 0 HOURS")
    finally:
        lakehouse.spark.conf.unset(check)


def test_a_vacuum_of_the_branch_removes_no_file_of_main_s(
        main: Lakehouse, lakehouse: Lakehouse) -> None:
    clone_missing(main, lakehouse, TABLES)
    before = files(main)
    lakehouse.overwrite(THINGS, lakehouse.spark.range(1), "true")
    vacuum(lakehouse, THINGS)
    assert files(main) == before and (rows(main), rows(lakehouse)) == (10, 1)


def test_a_file_that_a_vacuum_of_main_removed_is_told_with_the_remedy(
        main: Lakehouse, lakehouse: Lakehouse) -> None:
    clone_missing(main, lakehouse, TABLES)
    main.overwrite(THINGS, main.spark.range(3), "true")
    vacuum(main, THINGS)
    assert rows(lakehouse, OTHERS) == 5
    with pytest.raises(Exception, match="FileNotFoundException") as failed:
        lakehouse.read(THINGS).toArrow()
    told = str(explained(lakehouse, failed.value))
    assert told.startswith(f"schema a_branch of {lakehouse.root}: its tables began as clones of "
                           "main's, and file ")
    assert "/main/silver/things/" in told and "\n" not in told
    assert f"the folder {lakehouse.root}/a_branch, and" in told
    assert told.endswith("and run with --from-main again.")
    assert explained(main, failed.value) is None
    assert explained(lakehouse, ValueError("a column does not exist")) is None


@pytest.mark.parametrize(("interval", "days"), [(None, 7), ("interval 48 hours", 2)])
def test_clones_are_safe_as_long_as_main_keeps_deleted_files(
        main: Lakehouse, lakehouse: Lakehouse, interval: str | None, days: int) -> None:
    if interval:
        main.spark.sql(f"ALTER TABLE {main.reference(OTHERS)} SET TBLPROPERTIES "
                       f"('delta.deletedFileRetentionDuration' = '{interval}')")
    clone_missing(main, lakehouse, TABLES)
    base = base_of(lakehouse)
    assert base and base.is_kept
    assert abs(base.until - datetime.now(timezone.utc) - timedelta(days=days)) < timedelta(hours=1)
    assert not replace(base, until=base.until - timedelta(days=days)).is_kept


def test_a_spark_without_shallow_clones_is_told_in_one_line(
        main: Lakehouse, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(self: Lakehouse, table: Table, source: Lakehouse, version: int) -> None:
        self.spark.sql(f"CREATE TABLE {self.reference(table)} AN UNKNOWN KIND OF CLONE")

    monkeypatch.setattr(Lakehouse, "begin", begin)
    with pytest.raises(BadInput, match="no shallow clones of Delta tables; .* Leave --from-main"):
        clone_missing(main, lakehouse, TABLES)
