"""Migrations that are killed, meet another session, or find a writer at work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline.errors import TablesBusy
from branchline.lakehouse import Column, Lakehouse, Migration, Table
from support.processes import at_once, kill

pytestmark = pytest.mark.spark

TABLE = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Its number", True),))
MOVED = replace(TABLE, format=2, migrations=(
    Migration(2, lambda rows: rows.selectExpr("id + 100 AS id")),))

# argv: the folder, and a file that tells that the migration is reading rows.
SLOW = """
import sys, time
from dataclasses import replace
from pathlib import Path
from branchline.lakehouse import Column, Lakehouse, Migration, Table
from branchline.spark.session import session
root, reading = sys.argv[1:]
def slow(batches):
    Path(reading).touch()
    time.sleep(600)
    yield from batches
table = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Its number", True),),
              format=2, migrations=(Migration(2, lambda rows: rows.mapInArrow(slow, "id LONG")),))
spark = session({}, Path(reading).with_suffix(".log"))
Lakehouse(spark, root, "a_branch").create(table)
"""

# argv: the address of Spark Connect, the process's number.
MOVE = """
import sys
from pyspark.sql import SparkSession
from branchline.lakehouse import Column, Lakehouse, Migration, Table
table = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Its number", True),),
              format=2, migrations=(Migration(2, lambda rows: rows.selectExpr("id + 100 AS id")),))
lakehouse = Lakehouse(SparkSession.builder.remote(sys.argv[1]).getOrCreate(),
                      "spark_catalog", "at_once")
lakehouse.exists(table)
print("ready", flush=True)
input()
print(sorted(row.id for row in lakehouse.read(table).collect()), flush=True)
"""


def filled(lakehouse: Lakehouse) -> Lakehouse:
    lakehouse.merge(TABLE, lakehouse.spark.range(1, 3))
    return Lakehouse(lakehouse.spark, lakehouse.root, lakehouse.schema)


def ids(lakehouse: Lakehouse, table: Table) -> list[int]:
    return sorted(row["id"] for row in lakehouse.read(table).collect())


def replacements(lakehouse: Lakehouse) -> int:
    history = lakehouse.spark.sql(f"DESCRIBE HISTORY {lakehouse.reference(TABLE)}").collect()
    return [row["operation"] for row in history].count("CREATE OR REPLACE TABLE AS SELECT")


def test_a_table_is_as_before_after_a_killed_migration_and_the_next_run_migrates_it(
        lakehouse: Lakehouse, tmp_path: Path) -> None:
    lakehouse = filled(lakehouse)
    reading = tmp_path / "reading"
    process = subprocess.Popen([sys.executable, "-c", SLOW, lakehouse.root, str(reading)],
                               start_new_session=True, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        while not reading.exists():
            assert process.poll() is None, process.stdout and process.stdout.read()
            time.sleep(0.1)
    finally:
        kill(process)
    assert ids(lakehouse, TABLE) == [1, 2] and replacements(lakehouse) == 0
    assert ids(lakehouse, MOVED) == [101, 102] and replacements(lakehouse) == 1


def test_the_next_write_finishes_what_a_kill_interrupted(
        lakehouse: Lakehouse) -> None:
    lakehouse = filled(lakehouse)
    lakehouse.create(MOVED)
    reference = lakehouse.reference(MOVED)
    lakehouse.spark.sql(f"ALTER TABLE {reference} DROP CONSTRAINT branchline_required")
    later = Lakehouse(lakehouse.spark, lakehouse.root, lakehouse.schema)
    later.create(MOVED)
    with pytest.raises(Exception, match="branchline_required"):
        later.spark.sql(f"INSERT INTO {reference} VALUES (NULL)")
    assert ids(later, MOVED) == [101, 102] and replacements(later) == 1


def test_if_two_sessions_migrate_at_once_one_does_it_and_both_continue(
        spark: Any, connect: str, tmp_path: Path) -> None:
    spark.sql(f"CREATE SCHEMA spark_catalog.at_once LOCATION '{tmp_path}'")
    try:
        lakehouse = filled(Lakehouse(spark, "spark_catalog", "at_once"))
        said = at_once(MOVE, (connect, "1"), (connect, "2"), variables={})
        assert said == [("[101, 102]\n", 0)] * 2
        assert replacements(lakehouse) == 1
    finally:
        spark.sql("DROP SCHEMA spark_catalog.at_once CASCADE")


def test_a_table_that_another_writer_holds_is_not_migrated_by_a_reader(
        lakehouse: Lakehouse) -> None:
    reader = filled(lakehouse)
    with lakehouse.writing():
        with pytest.raises(TablesBusy, match=f"process {os.getpid()} is writing them"):
            reader.read(MOVED)
        assert ids(lakehouse, MOVED) == [101, 102]
    assert ids(reader, MOVED) == [101, 102] and replacements(reader) == 1
