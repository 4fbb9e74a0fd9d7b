from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Column, Job, Lakehouse, Pipeline, Settings, Step, Table
from branchline.lakehouse.difference import Sample, TableFound
from branchline.runs.shown_difference import difference_of
from branchline.runs.tracking import Tracking

THINGS = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Number", True),
                                                    Column("name", "STRING", "Its name")))
OTHERS = Table("gold.others", "Others", ("id",), (Column("id", "BIGINT", "Number", True),
                                                  Column("size", "INT", "Size")), kpis=True)
NOWHERE = Table("gold.nowhere", "Nothing", ("id",), (Column("id", "BIGINT", "Number"),))
PIPELINE = Pipeline(Settings, (Step("make", lambda lakehouse, settings: {"rows": 0},
                                    writes=(THINGS, OTHERS, NOWHERE)),))


def test_diff_runs_on_request_only_and_does_not_wait_for_writers(tmp_path: Path) -> None:
    assert PIPELINE.diff is PIPELINE.diff and PIPELINE.diff not in PIPELINE.asked(Settings())
    here, too = (Lakehouse(None, f"{tmp_path}/tables", "a_branch")  # type: ignore[arg-type]
                 for _ in range(2))
    with here.writing():
        Job(PIPELINE, Settings(steps=("diff",)), too)


@pytest.mark.spark
def test_the_tables_of_both_schemas_are_compared_and_kept_in_the_run(
        run: Any, store: str, lakehouse: Lakehouse) -> None:
    main = Lakehouse(lakehouse.spark, lakehouse.root, "main")
    for tables, name in ((main, "a"), (lakehouse, "b")):
        for table, values in ((THINGS, f"(1L, 'x'), (2L, '{name}')"),
                              (OTHERS, f"(1L, {len(tables.schema)})")):
            tables.merge(table, tables.spark.sql(
                f"SELECT * FROM VALUES {values} AS t({', '.join(table.column_names)})"))
    main.merge(THINGS, main.spark.sql("SELECT 3L AS id, 'c' AS name"))
    counts = PIPELINE.diff.run(lakehouse, Settings(schema="a_branch", against="main"))
    assert counts == {"rows": 3, "tables": 2, "different": 2}
    content = difference_of(Tracking(store, None), run.info.run_id)
    assert (content["before"], content["after"]) == ("main", "a_branch")
    things, others = map(TableFound.from_json, content["tables"])
    assert (things.removed, things.changed, things.samples, things.moves) == (1, 1, (), ())
    assert [each.after for each in others.moves] == [8.0]

    settings = Settings(schema="a_branch", against="main", table="silver.things, gold.nowhere",
                        samples=5)
    PIPELINE.diff.run(lakehouse, settings)
    (things,) = map(TableFound.from_json,
                    difference_of(Tracking(store, None), run.info.run_id)["tables"])
    assert things.samples == (Sample("removed", {"id": "3", "name": "c"}, {}),
                              Sample("changed", {"id": "2"}, {"name": ["a", "b"]}))


@pytest.mark.spark
def test_tables_in_a_catalog_are_compared_by_their_names(
        run: Any, store: str, spark: Any, tmp_path: Path) -> None:
    main, branch = (Lakehouse(spark, "spark_catalog", f"diff_{name}", str(tmp_path))
                    for name in ("main", "branch"))
    try:
        main.merge(THINGS, spark.sql("SELECT 1L AS id, 'a' AS name UNION ALL SELECT 2L, 'b'"))
        branch.merge(THINGS, spark.sql("SELECT 2L AS id, 'c' AS name"))
        counts = PIPELINE.diff.run(branch, Settings(schema="diff_branch", against="diff_main"))
        assert counts == {"rows": 1, "tables": 1, "different": 1}
        (things,) = map(TableFound.from_json,
                        difference_of(Tracking(store, None), run.info.run_id)["tables"])
        assert (things.removed, things.changed, things.before, things.after) == (
            1, 1, (1, 2), (1, 1))
    finally:
        for name in ("main", "branch"):
            spark.sql(f"DROP SCHEMA IF EXISTS spark_catalog.diff_{name} CASCADE")


@pytest.mark.spark
@pytest.mark.parametrize(("wrong", "line"), [
    ({"against": ""}, "parameter against is ''; expected the schema of the branch"),
    ({"table": "things"}, "table 'things' is unknown; expected one of gold.nowhere, gold.others"),
    ({}, "none of the 3 tables is in schema main or a_branch of")])
def test_tables_that_cannot_be_compared_are_an_error_of_one_line(
        lakehouse: Lakehouse, wrong: dict[str, str], line: str) -> None:
    with pytest.raises(BadInput, match=line):
        PIPELINE.diff.run(lakehouse, Settings(**{"schema": "a_branch", "against": "main", **wrong}))
