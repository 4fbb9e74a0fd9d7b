from __future__ import annotations

from typing import Any

import pytest

from branchline.lakehouse import Column, Lakehouse, Table
from branchline.lakehouse.appends import Append, append_once, appends, count_rows

pytestmark = pytest.mark.spark
THINGS, OTHERS = (Table(f"silver.{name}", "Things", ("id",), (Column("id", "BIGINT", "Number"),))
                  for name in ("things", "others"))


def test_an_append_happens_once_and_the_log_has_its_note_and_rows(
        lakehouse: Lakehouse) -> None:
    lakehouse.create(THINGS)
    lakehouse.create(OTHERS)
    first, _, second, _ = [
        append_once(lakehouse, THINGS, lakehouse.spark.range(rows), "one", number, said="this")
        for number, rows in ((1, 3), (1, 5), (2, 4), (1, 6))]
    append_once(lakehouse, THINGS, lakehouse.spark.range(2), "another", 1)
    lakehouse.spark.sql(f"DELETE FROM {lakehouse.reference(THINGS)} WHERE id = 3")
    note: dict[str, Any] = {"writer": "one", "said": "this"}
    assert appends(lakehouse, THINGS, "one") == [
        Append(2, 4, note | {"number": 2, "token": second}),
        Append(1, 3, note | {"number": 1, "token": first})]
    assert [append.note["writer"] for append in appends(lakehouse, THINGS)] == [
        "another", "one", "one"]
    assert count_rows(lakehouse, THINGS, OTHERS, THINGS) == [8, 0, 8]


def test_rows_are_counted_without_reading_them(lakehouse: Lakehouse) -> None:
    lakehouse.create(THINGS)
    append_once(lakehouse, THINGS, lakehouse.spark.range(1000), "one", 1)
    asked: list[Any] = []
    sql = lakehouse.spark.sql

    class Asked:
        def sql(self, text: str) -> Any:
            asked.append(sql(text))
            return asked[-1]

    watched: Any = Lakehouse(lakehouse.spark, lakehouse.root, lakehouse.schema)
    watched.spark = Asked()
    assert count_rows(watched, THINGS, THINGS) == [1000, 1000]
    plan = asked[0]._jdf.queryExecution().executedPlan().toString()
    assert "LocalTableScan" in plan and "Scan parquet" not in plan
