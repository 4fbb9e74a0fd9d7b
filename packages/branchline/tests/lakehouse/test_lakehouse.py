from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from branchline.errors import BadInput, TablesBusy
from branchline.lakehouse import Column, Lakehouse, Table

pytestmark = pytest.mark.spark
TABLE = Table("silver.things", "It's a \"thing\"", ("id",),
              (Column("id", "BIGINT", "Its number", required=True),
               Column("word", "STRING", "b\\")))


def rows(lakehouse: Lakehouse, *pairs: tuple[int, str]) -> Any:
    return lakehouse.spark.createDataFrame(list(pairs), "id BIGINT, word STRING")


def held(lakehouse: Lakehouse) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in lakehouse.read(TABLE).collect())


def test_a_table_is_made_with_its_meaning_and_read_back(spark: Any, tmp_path: Path) -> None:
    lakehouse = Lakehouse(spark, str(tmp_path / "a `b` 'c'"), "schema")
    lakehouse.create(TABLE)
    lakehouse.create(TABLE)
    assert lakehouse.exists(TABLE) and held(lakehouse) == []
    described = spark.sql(f"DESCRIBE TABLE {lakehouse.reference(TABLE)}").collect()
    assert [row["comment"] for row in described][:2] == ["Its number", "b\\"]


def test_merge_inserts_only_missing_keys(lakehouse: Lakehouse) -> None:
    lakehouse.merge(TABLE, rows(lakehouse, (1, "a"), (2, "b")))
    lakehouse.merge(TABLE, rows(lakehouse, (2, "other"), (3, "c")))
    assert held(lakehouse) == [(1, "a"), (2, "b"), (3, "c")]


def test_overwrite_replaces_a_slice_and_refuses_rows_outside_of_it(lakehouse: Lakehouse) -> None:
    lakehouse.overwrite(TABLE, rows(lakehouse, (1, "a"), (2, "b")), "true")
    lakehouse.overwrite(TABLE, rows(lakehouse, (2, "c"), (3, "d")), "id >= 2")
    assert held(lakehouse) == [(1, "a"), (2, "c"), (3, "d")]
    with pytest.raises(Exception, match="DELTA_REPLACE_WHERE_MISMATCH"):
        lakehouse.overwrite(TABLE, rows(lakehouse, (1, "x")), "id >= 2")
    assert held(lakehouse) == [(1, "a"), (2, "c"), (3, "d")]


def test_rows_are_deleted_by_their_keys(lakehouse: Lakehouse) -> None:
    lakehouse.merge(TABLE, rows(lakehouse, (1, "a"), (2, "b"), (3, "c")))
    lakehouse.delete(TABLE, rows(lakehouse, (1, ""), (1, ""), (3, ""), (4, "")).select("id"))
    assert held(lakehouse) == [(2, "b")]


def test_an_earlier_version_can_be_read(lakehouse: Lakehouse) -> None:
    lakehouse.merge(TABLE, rows(lakehouse, (1, "a")))
    version = lakehouse.version(TABLE)
    lakehouse.merge(TABLE, rows(lakehouse, (2, "b")))
    assert lakehouse.version(TABLE) == version + 1
    assert lakehouse.read(TABLE, version).count() == 1


def test_two_schemas_do_not_meet(spark: Any, tmp_path: Path) -> None:
    one, other = (Lakehouse(spark, str(tmp_path), name) for name in ("one", "other"))
    one.merge(TABLE, rows(one, (1, "a")))
    assert not other.exists(TABLE)


def test_a_missing_table_is_bad_input_that_says_what_to_run(
        lakehouse: Lakehouse) -> None:
    with pytest.raises(BadInput, match="table silver.things: not found in schema a_branch"):
        lakehouse.read(TABLE)


def test_a_catalog_names_its_tables_in_three_parts(spark: Any) -> None:
    lakehouse = Lakehouse(spark, "dev", "feature_x")
    assert lakehouse.reference(TABLE) == "`dev`.`feature_x`.`silver_things`"
    assert lakehouse.area("landing") == "/Volumes/dev/feature_x/files/landing"


HOLDER = """
import sys, time
from branchline.lakehouse import Lakehouse
with Lakehouse(None, sys.argv[1], "a_branch").writing():
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_writes_a_schema_and_a_dead_one_releases_it(
        lakehouse: Lakehouse) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, lakehouse.root], text=True,
                              stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(TablesBusy, match=f"process {holder.pid} is writing them"):
            with lakehouse.writing():
                pass
        with Lakehouse(lakehouse.spark, lakehouse.root, "another").writing():
            pass
    finally:
        holder.kill()
        holder.wait()
    with lakehouse.writing():
        pass
