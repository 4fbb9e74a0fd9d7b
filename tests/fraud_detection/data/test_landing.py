from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from branchline.errors import BadInput
from fraud_detection.data.landing import read_landed
from fraud_detection.data.tables import TRANSACTION_COLUMNS
from fraud_detection.settings import Columns

HEADER = "transaction_id,event_time,customer_id,terminal_id,amount,is_fraud\n"


def landed(name: str, content: bytes | str, columns: Columns | None = None) -> list[dict[str, Any]]:
    data = content.encode() if isinstance(content, str) else content
    return [row for batch in read_landed(name, data, columns or Columns())
            for row in batch.to_pylist()]


def parquet(columns: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def values(row: Mapping[str, Any]) -> list[Any]:
    return [row[name] for name in TRANSACTION_COLUMNS]


def test_csv_keeps_every_value_as_it_was_written() -> None:
    rows = landed("a.csv", HEADER + '07,2024-01-01,c-1,"t, ""x""",1e2,\n8,x,,,-0.10,2\n')
    assert values(rows[0]) == ["07", "2024-01-01", "c-1", 't, "x"', "1e2", ""]
    assert values(rows[1]) == ["8", "x", "", "", "-0.10", "2"]
    assert [row["source_row"] for row in rows] == [1, 2]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_csv_may_have_another_delimiter_and_another_order(delimiter: str) -> None:
    names = list(reversed(TRANSACTION_COLUMNS))
    text = delimiter.join(names) + "\n" + delimiter.join(f"v-{name}" for name in names) + "\n"
    assert values(landed("a.csv", text)[0]) == [f"v-{name}" for name in TRANSACTION_COLUMNS]


def test_a_ragged_csv_row_is_kept_with_its_place_and_reason() -> None:
    rows = landed("a.csv", HEADER + "1,t,c,t,1,0\n2,t,c\n3,t,c,t,1,0\n")
    assert {row["source_row"]: row["transaction_id"] for row in rows} == {1: "1", 2: None, 3: "3"}
    assert [row["problem"] for row in rows if row["source_row"] == 2] == [
        "row has 3 values, expected 6"]


def test_json_lines_keep_numbers_as_written_and_bad_lines_as_problems() -> None:
    text = ('{"transaction_id": 1, "event_time": "t", "customer_id": 2, "terminal_id": 3, '
            '"amount": 1.10, "is_fraud": true}\nnot json\n[1]\n{"transaction_id": 4, "amount": '
            'NaN, "event_time": "t", "customer_id": null}\n')
    rows = landed("a.jsonl", text)
    assert values(rows[0]) == ["1", "t", "2", "3", "1.10", "true"]
    assert [row["problem"] for row in rows] == [
        None, "row is not a JSON object", "row is not a JSON object", None]
    assert rows[3]["amount"] == "NaN" and rows[3]["customer_id"] is None


def test_parquet_values_become_text_whatever_their_type() -> None:
    rows = landed("a.parquet", parquet({
        "transaction_id": [1], "event_time": pa.array([1_700_000_000_123], pa.timestamp("ms")),
        "customer_id": ["c"], "terminal_id": pa.array(["t"]).dictionary_encode(),
        "amount": [57.16], "is_fraud": [True]}))
    assert values(rows[0]) == ["1", "2023-11-14 22:13:20.123", "c", "t", "57.16", "true"]


def test_files_may_be_gzipped() -> None:
    rows = landed("a.csv.gz", gzip.compress((HEADER + "1,t,c,t,1,0\n").encode()))
    assert rows[0]["transaction_id"] == "1"


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("a.csv", b"", "file: empty"),
    ("a.parquet", b"", "file: empty"),
    ("a.parquet", parquet({"amount": list(range(1000))})[:400], "file: not a readable Parquet"),
    ("a.parquet", b"PAR1 but not really PAR1", "file: not a readable Parquet"),
    ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "file: none of the expected columns"),
    ("a.json", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "file: not JSON lines"),
    ("a.png", b"\x89PNG", "file: not Parquet (.parquet), CSV (.csv) or JSON lines"),
    ("a.csv.gz", gzip.compress(b"x" * 1000, mtime=0)[:20], "file: not a whole gzip file"),
])
def test_a_file_that_is_no_data_gives_one_row_with_the_reason(
        name: str, content: bytes, reason: str) -> None:
    rows = landed(name, content)
    assert [row["source_row"] for row in rows] == [0]
    assert rows[0]["problem"].startswith(reason)


def test_a_file_with_a_header_only_has_no_rows() -> None:
    assert landed("a.csv", HEADER) == []


def test_another_encoding_costs_only_the_rows_that_it_garbles() -> None:
    rows = landed("a.csv", (HEADER + "1,t,Müller,t,1,0\n2,t,Meier,t,1,0\n").encode("latin-1"))
    assert [row["problem"] for row in rows] == ["text is not UTF-8", None]


def test_utf16_and_a_byte_order_mark_are_understood() -> None:
    text = HEADER + "1,t,Müller,t,1,0\n"
    for content in (text.encode("utf-16"), text.encode("utf-8-sig")):
        assert landed("a.csv", content)[0]["customer_id"] == "Müller"


def test_a_missing_required_column_is_an_error_that_names_it() -> None:
    text = HEADER.replace("amount", "amont") + "1,t,c,t,1,0\n"
    with pytest.raises(BadInput, match=r"a.csv: column amount is missing; found .*amont") as error:
        landed("a.csv", text)
    assert "\n" not in str(error.value)


def test_extra_columns_are_kept_out_and_named() -> None:
    text = HEADER.strip() + ",zip,leak\n1,t,c,t,1,0,8000,x\n"
    row = landed("a.csv", text)[0]
    assert row["ignored_columns"] == "leak, zip" and "8000" not in row.values()


def test_a_mapping_finds_columns_by_other_names() -> None:
    columns = Columns(tuple({**dict(Columns().names), "customer_id": "CARD"}.items()))
    text = HEADER.replace("customer_id", "CARD") + "1,t,c,t,1,0\n"
    assert landed("a.csv", text, columns)[0]["customer_id"] == "c"
    assert landed("a.csv", HEADER + "1,t,c,t,1,0\n", columns)[0]["customer_id"] == "c"


def test_data_without_ids_get_them_from_file_and_row() -> None:
    text = "event_time,customer_id,terminal_id,amount,is_fraud\nt,c,t,1,0\nt,c,t,1,0\n"
    ids = {row["transaction_id"] for folder in "xy" for row in landed(f"/{folder}/a.csv", text)}
    assert len(ids) == 4 and all(name.startswith("a.csv-") for name in ids)
    assert landed("/x/a.csv", text) == landed("/x/a.csv", text)


def test_data_without_labels_say_so_in_the_mapping() -> None:
    columns = Columns(tuple({**dict(Columns().names), "is_fraud": ""}.items()))
    text = "transaction_id,event_time,customer_id,terminal_id,amount\n1,t,c,t,1\n"
    assert landed("a.csv", text, columns)[0]["is_fraud"] is None
