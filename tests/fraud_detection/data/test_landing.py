from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from branchline.errors import BadInput
from branchline.lakehouse.sources import lines, pieces
from fraud_detection.settings import Columns
from fraud_detection.tables import TRANSACTION_COLUMNS
from tests.fraud_detection.landed import GOOD, HEADER, Land, parquet, values

THREE = HEADER + "1,t,c,t,1,0\n2,t,c,t,1,0\n3,t,c,t,1,0\n"


def ids(rows: list[dict[str, Any]]) -> list[Any]:
    return [row["transaction_id"] for row in rows]


def problems(rows: list[dict[str, Any]]) -> list[Any]:
    return [row["problem"] for row in rows]


def test_csv_keeps_every_value_as_it_was_written(landed: Land) -> None:
    rows = landed("a.csv", HEADER + '07,2024-01-01,c-1,"t, ""x""",1e2,\n8,x,,,-0.10,2\n')
    assert values(rows[0]) == ["07", "2024-01-01", "c-1", 't, "x"', "1e2", ""]
    assert values(rows[1]) == ["8", "x", "", "", "-0.10", "2"]
    assert [row["source_row"] for row in rows] == [1, 2]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_csv_may_have_another_delimiter_and_another_order(landed: Land, delimiter: str) -> None:
    names = list(reversed(TRANSACTION_COLUMNS))
    text = delimiter.join(names) + "\n" + delimiter.join(f"v-{name}" for name in names) + "\n"
    assert values(landed("a.tsv", text)[0]) == [f"v-{name}" for name in TRANSACTION_COLUMNS]


@pytest.mark.parametrize("text", [
    THREE.replace("\n", "\r"), THREE.replace("\n", "\r\n"), THREE.rstrip("\n"),
    THREE.replace("2,t", "\r\r2,t"), "\n \n" + THREE.replace("\n", "\n\n"),
    "sep=;\n" + THREE.replace(",", ";"), "\ufeff" + THREE,
    THREE.replace(",", ", ", 5), '"' + THREE.replace("\n", '"\n', 1).replace(",", '","', 5)])
def test_line_ends_blank_lines_and_headers_of_many_kinds_are_understood(
        landed: Land, text: str) -> None:
    rows = landed("a.csv", text)
    assert ids(rows) == ["1", "2", "3"] and problems(rows) == [None] * 3
    assert [row["source_row"] for row in rows] == [1, 2, 3]


def test_a_ragged_csv_row_is_kept_with_its_number_and_reason(landed: Land) -> None:
    rows = landed("a.csv", HEADER + "1,t,c,t,1,0\n2,t,c\n3,t,c,t,1,0\n")
    assert ids(rows) == ["1", None, "3"]
    assert problems(rows) == [None, "row has 3 values, expected 6", None]


def test_rows_after_an_unclosed_quote_are_read(landed: Land) -> None:
    rows = landed("a.csv", HEADER + '1,t,c,t,1,0\n2,t,"c,t,1,0\n3,t,c,"t",1,0\n4,t,c,t,1,0\n'
                  '5,t,"c,t,1,0\n6,t,c,t,1,0\n')
    assert ids(rows) == ["1", None, "3", "4", None, "6"]
    assert {row["problem"] for row in rows} == {None, "a quote is not closed"}


def test_a_column_that_is_kept_out_may_hold_line_breaks_and_ours_may_not(landed: Land) -> None:
    header = HEADER.strip() + ",note\n"
    rows = landed("a.csv", header + '1,t,c,t,1,0,"two\n\nlines, ""or"" three"\n2,t,c,t,1,0,x\n'
                  '3,t,"c\n4",t,1,0,x\n')
    assert ids(rows[:2]) == ["1", "2"] and problems(rows[:2]) == [None, None]
    assert rows[2]["problem"] == "a quote is not closed" and len(rows) == 4


def test_a_quoted_value_may_cross_the_blocks_that_a_file_is_read_in(
        landed: Land, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 64)
    many = "".join(f'{at},t,c,t,1,0,"a\nb"\n' for at in range(200))
    rows = landed("a.csv", HEADER.strip() + ",note\n" + many)
    assert ids(rows) == [str(at) for at in range(200)] and set(problems(rows)) == {None}
    assert [row["source_row"] for row in rows] == list(range(1, 201))


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_large_file_is_read_in_pieces_with_the_same_rows(
        landed: Land, monkeypatch: pytest.MonkeyPatch, ending: str, newline: str) -> None:
    row = ("{},t,c,t,1,0" if ending == "csv" else
           '{{"transaction_id": {}, "event_time": "t", "customer_id": "c", "terminal_id": "t", '
           '"amount": 1}}')
    body = newline.join(row.format(at) + newline * (at % 3 == 0) for at in range(5000))
    text = (HEADER if ending == "csv" else "") + body
    whole = landed(f"a.{ending}", text)
    monkeypatch.setattr(pieces, "PIECE", 10_000)
    monkeypatch.setattr(lines, "BLOCK", 3_000)
    assert landed(f"a.{ending}", text) == whole
    assert [row["source_row"] for row in whole] == list(range(1, 5001))


def test_a_line_that_is_far_too_long_is_one_bad_row(landed: Land,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 100)
    monkeypatch.setattr(lines, "LONGEST", 1000)
    rows = landed("a.csv", HEADER + f"1,t,c,t,1,0\n2,{'x' * 5000},c,t,1,0\n3,t,c,t,1,0\n")
    assert ids(rows) == ["1", None, "3"]


def test_json_lines_keep_numbers_as_written_and_bad_lines_as_problems(landed: Land) -> None:
    text = ('{"transaction_id": 1, "event_time": "t", "customer_id": 2, "terminal_id": 3, '
            '"amount": 1.10, "is_fraud": true}\nnot json\n[1]\n{"transaction_id": 4, "amount": '
            'NaN, "event_time": "t", "customer_id": null}\n')
    rows = landed("a.jsonl", text)
    assert values(rows[0]) == ["1", "t", "2", "3", "1.10", "true"]
    assert problems(rows) == [None, "row is not a JSON object", "row is not a JSON object", None]
    assert rows[3]["amount"] == "NaN" and rows[3]["customer_id"] is None


JSON = ('{{"transaction_id": {id}, "event_time": "t", "customer_id": {customer}, '
        '"terminal_id": "t", "amount": {amount}{more}}}\n')


@pytest.mark.parametrize(("customer", "amount", "more", "problem"), [
    ('"c"', "1", "", None),
    (f'"{"9" * 5000}"', "9" * 5000, "", None),
    ('"\\u2028 \\u0085"', "1", "", None),
    ('"c"', "1", ', "x": {"amount": [1, {"y": null}]}', None),
    ('"c"', "1", ', "x": 1, "x": 2', None),
    ('"c"', "1", ', "amount": 2', "key amount occurs 2 times"),
    ('"\\ud800"', "1", "", "text is not UTF-8"),
    ('["c"]', "1", "", "customer_id is not a plain value"),
    ('{"c": 1}', "1", "", "customer_id is not a plain value"),
    ('"c"', "1", ', "x": ' + "[" * 100_000, "row is not a JSON object"),
])
def test_a_json_line_does_not_depend_on_its_neighbours(landed: Land, customer: str, amount: str,
                                                       more: str, problem: str | None) -> None:
    good = JSON.format(id=1, customer='"c"', amount=1, more="")
    rows = landed("a.jsonl", good + JSON.format(id=2, customer=customer, amount=amount, more=more)
                  + good)
    assert problems(rows) == [None, problem, None]


def test_json_lines_may_lack_only_the_label(landed: Land) -> None:
    row = JSON.format(id=1, customer='"c"', amount=1, more="")
    assert landed("a.jsonl", row)[0]["is_fraud"] is None
    with pytest.raises(BadInput, match="column amount is missing"):
        landed("b.jsonl", row.replace("amount", "amont"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("ending", ["csv.gz", "csv.bz2", "csv"])
def test_files_may_be_packed_whatever_their_name(
        landed: Land, pack: Callable[[bytes], bytes], ending: str) -> None:
    rows = landed(f"a.{ending}", pack((HEADER + "1,t,c,t,1,0\n").encode()))
    assert ids(rows) == ["1"]


PACKED = gzip.compress((HEADER + "1,t,c,t,1,0\n" * 50_000).encode(), mtime=0)


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("a.csv", b"", "file: empty"),
    ("a.csv", b"\n\n", "file: blank lines only"),
    ("a.parquet", b"", "file: empty"),
    ("a.parquet", parquet({"amount": list(range(1000))})[:400], "file: not a readable Parquet"),
    ("a.parquet", b"PAR1 but not really PAR1", "file: not a readable Parquet"),
    ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "file: not text but a picture"),
    ("a.csv", b"PK\x03\x04\x14\x00", "file: not text but a zip archive: unpack it"),
    ("a.csv", parquet(GOOD), "file: not text but a Parquet file: name it .parquet"),
    ("a.csv", b"\x00\x01\x02\x03" * 9, "file: none of the expected columns"),
    ("a.json", b"\x00\x01\x02\x03" * 9, "file: not JSON lines"),
    ("a.json", b'[{"amount": 1},\n{"amount": 2}]', "file: not JSON lines (one object per line)"),
    ("a.png", b"\x89PNG", "file: not Parquet (.parquet), CSV (.csv, .tsv) or JSON lines"),
    ("a.csv.gz", PACKED[:20], "file: not a whole gzip file"),
    ("a.csv.gz", PACKED[:-1000] + b"\x00" * 1000, "file: not a whole gzip file"),
    ("a.csv.bz2", bz2.compress(HEADER.encode())[:-9], "file: not a whole bzip2 file"),
    ("a.csv", HEADER.replace("amount", "amount,amount"), "file: column amount occurs 2 times"),
    ("a.parquet", parquet({**GOOD, "customer_id": [["c"]]}), "file: column customer_id holds list"),
])
def test_a_file_without_data_gives_one_row_with_the_reason(landed: Land, name: str, content: bytes,
                                                           reason: str) -> None:
    rows = landed(name, content)
    assert [row["source_row"] for row in rows] == [0]
    assert rows[0]["problem"].startswith(reason)


@pytest.mark.parametrize("header", [HEADER, HEADER.strip(), HEADER + "\n\n"])
def test_a_file_with_a_header_only_has_no_rows(landed: Land, header: str) -> None:
    assert landed("a.csv", header) == []


def test_another_encoding_costs_only_the_rows_that_it_garbles(landed: Land) -> None:
    rows = landed("a.csv", (HEADER + "1,t,Müller,t,1,0\n2,t,Meier,t,1,0\n").encode("latin-1"))
    assert problems(rows) == ["text is not UTF-8", None]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_unicode_is_understood_with_a_mark_and_mostly_without(landed: Land, encoding: str) -> None:
    rows = landed("a.csv", (HEADER + "1,t,Müller,t,1,0\n").encode(encoding))
    assert rows[0]["customer_id"] == "Müller" and problems(rows) == [None]


def test_a_missing_required_column_is_an_error_that_names_it(landed: Land) -> None:
    text = HEADER.replace("amount", "amo\x1b]nt") + "1,t,c,t,1,0\n"
    found = "a.csv: column amount is missing; found .*amo ]nt"
    with pytest.raises(BadInput, match=found) as error:
        landed("a.csv", text)
    assert str(error.value).isprintable()


def test_extra_columns_are_ignored_and_named(landed: Land) -> None:
    row = landed("a.csv", HEADER.strip() + ",zip,leak,leak\n1,t,c,t,1,0,8000,x,y\n")[0]
    assert row["ignored_columns"] == "leak, zip" and "8000" not in row.values()


def test_thousands_of_columns_are_read(landed: Land) -> None:
    extra = ",".join(f"x{at}" for at in range(10_000))
    rows = landed("a.csv", HEADER.strip() + f",{extra}\n1,t,c,t,1,0,{extra}\n")
    assert ids(rows) == ["1"] and len(rows[0]["ignored_columns"]) < 300


def test_a_mapping_finds_columns_by_other_names(landed: Land) -> None:
    columns = Columns(tuple({**dict(Columns().names), "customer_id": "CARD"}.items()))
    text = HEADER.replace("customer_id", "CARD") + "1,t,c,t,1,0\n"
    assert landed("a.csv", text, columns)[0]["customer_id"] == "c"
    assert landed("a.csv", HEADER + "1,t,c,t,1,0\n", columns)[0]["customer_id"] == "c"


def test_data_without_ids_get_them_from_file_and_row(landed: Land) -> None:
    text = "event_time,customer_id,terminal_id,amount,is_fraud\nt,c,t,1,0\nt,c,t,1,0\n"
    found = {name for folder in "xy" for name in ids(landed(f"{folder}/a.csv", text))}
    assert len(found) == 4 and all(name.startswith("a.csv-") for name in found)
    assert landed("x/a.csv", text) == landed("x/a.csv", text)


def test_the_mapping_declares_data_without_labels(landed: Land) -> None:
    columns = Columns(tuple({**dict(Columns().names), "is_fraud": ""}.items()))
    text = "transaction_id,event_time,customer_id,terminal_id,amount\n1,t,c,t,1\n"
    assert landed("a.csv", text, columns)[0]["is_fraud"] is None
