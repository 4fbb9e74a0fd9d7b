"""Parquet files of any plain type, in parts, as rows of text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from branchline.lakehouse.sources import pieces
from fraud_detection.tables import TRANSACTION_COLUMNS
from tests.fraud_detection.landed import GOOD, Land, parquet, rows_of, values


def test_parquet_values_become_text_whatever_their_type(landed: Land) -> None:
    rows = landed("a.parquet", parquet({
        "transaction_id": [1], "event_time": pa.array([1_700_000_000_123], pa.timestamp("ms")),
        "customer_id": ["c"], "terminal_id": pa.array(["t"]).dictionary_encode(),
        "amount": [57.16], "is_fraud": [True]}))
    assert values(rows[0]) == ["1", "2023-11-14 22:13:20.123", "c", "t", "57.16", "true"]


@pytest.mark.parametrize(("column", "given", "text"), [
    ("event_time", pa.array([1_700_000_000], pa.timestamp("s", "Europe/Paris")),
     "2023-11-14 22:13:20.000Z"),
    ("event_time", pa.array([19_000], pa.date32()), "2022-01-08"),
    ("amount", pa.array(["1.50"]).cast(pa.decimal128(9, 2)), "1.50"),
    ("amount", pa.array([1.5], pa.float32()), "1.5"),
    ("customer_id", pa.array([b"c"], pa.binary()), "c"),
    ("customer_id", pa.array([b"cc"], pa.binary(2)), "cc"),
    ("customer_id", pa.array(["c"], pa.large_string()), "c"),
    ("is_fraud", pa.array([None], pa.null()), None),
    ("is_fraud", pa.array([float("nan")]), "nan"),
])
def test_a_parquet_column_may_have_any_plain_type(landed: Land, column: str, given: pa.Array,
                                                  text: str) -> None:
    assert landed("a.parquet", parquet({**GOOD, column: given}))[0][column] == text


@pytest.mark.parametrize("extra", [
    pa.array([[1]]), pa.array([{"a": 1}]), pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    pa.array([b"\xff"]), pa.array([1], pa.duration("s")), pa.array([1], pa.time32("s"))])
def test_a_parquet_column_that_is_kept_out_may_have_any_type(landed: Land, extra: pa.Array) -> None:
    (row,) = landed("a.parquet", parquet({**GOOD, "extra": extra}))
    assert row["problem"] is None and row["ignored_columns"] == "extra"


def test_a_parquet_file_without_rows_or_with_many_row_groups_is_read(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "a.parquet", parquet({name: pa.array([], pa.string())
                                                    for name in TRANSACTION_COLUMNS})) == []
    many = pa.table({name: [str(at) for at in range(1000)] for name in TRANSACTION_COLUMNS})
    pa.parquet.write_table(many, tmp_path / "b.parquet", row_group_size=300)
    rows = rows_of(tmp_path / "b.parquet", (tmp_path / "b.parquet").read_bytes())
    assert [(row["source_row"], row["amount"]) for row in rows] == [
        (at + 1, str(at)) for at in range(1000)]


def test_a_large_row_group_is_read_in_parts(landed: Land, monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet({name: [str(at) for at in range(1000)] for name in TRANSACTION_COLUMNS})
    monkeypatch.setattr(pieces, "SLICE", 300)
    rows = landed("a.parquet", content)
    assert [(row["source_row"], row["amount"]) for row in rows] == [
        (at + 1, str(at)) for at in range(1000)]
