from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from branchline.lakehouse import Column, Table
from branchline.streaming.on_spark.kept import Kept, table_rows

TABLE = Table("gold.marks", "Marks", key=("id", "by"), columns=(
    Column("id", "STRING", "What", True), Column("by", "STRING", "Who", True),
    Column("time", "TIMESTAMP", "When", True), Column("mark", "DOUBLE", "How much", True)))


def mark(key: str, **changed: Any) -> dict[str, Any]:
    return {"id": key, "by": "m", "time": 1_000, "mark": 0.5, **changed}


def messages(*found: tuple[int, str | None, dict[str, Any] | None]) -> pa.Table:
    """Messages of partition, id and content, at offsets 0, 1, ..."""
    return pa.table({
        "partition": [partition for partition, _, _ in found], "offset": list(range(len(found))),
        "value": [json.dumps(row).encode() if row else b"{" for _, _, row in found],
        "id": pa.array([place and place.encode() for _, place, _ in found], pa.binary())})


def taken(*found: tuple[int, str | None, dict[str, Any] | None]) -> list[str]:
    kept = Kept(None, TABLE, "marks")  # type: ignore[arg-type]
    return [row["id"] for row in kept._new(messages(*found), {}, {}) if row]


def test_a_repeated_batch_is_found_by_its_ids_in_each_partition() -> None:
    assert taken((0, "t/0/0", mark("a")), (1, "t/0/1", mark("b")), (0, "t/0/2", mark("c")),
                 (0, "t/0/0", mark("a")), (1, "t/0/1", mark("b")), (0, "t/0/2", mark("c")),
                 (0, "t/0/3", mark("d")), (0, "t/1/0", mark("e"))) == ["a", "b", "c", "d", "e"]


def test_a_transaction_that_came_twice_is_kept_once_by_the_table_s_key() -> None:
    assert taken((0, "t/0/0", mark("a")), (0, "t/0/5", mark("a")),
                 (0, "t/0/6", mark("a", by="n"))) == ["a", "a"]


def test_scores_of_a_topic_without_ids_are_told_apart_by_their_offsets() -> None:
    assert taken((0, None, mark("a")), (0, None, mark("b"))) == ["a", "b"]


def test_a_message_that_is_no_row_of_the_table_is_left_out() -> None:
    rows = [mark("a"), {}, mark("b", mark=None), mark("c", mark="0.5"), mark("d", time="now")]
    found = table_rows(TABLE, iter(rows))
    assert found.column_names == TABLE.column_names and found["id"].to_pylist() == ["a"]
    assert found["time"].cast(pa.int64()).to_pylist() == [1_000_000]
