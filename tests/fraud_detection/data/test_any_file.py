"""Files of every format, damaged anywhere: whole rows are read, nothing is raised."""

from __future__ import annotations

import csv
import gzip
import io
import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from branchline.errors import BadInput
from branchline.lakehouse.sources import lines, pieces
from fraud_detection.data.parsing import parse
from fraud_detection.tables import TRANSACTION_COLUMNS
from tests.fraud_detection.landed import batches

TRIED = settings(max_examples=150,
                 suppress_health_check=[HealthCheck.function_scoped_fixture])
ARRIVED = 1_800_000_000_000_000
HEADER = [*TRANSACTION_COLUMNS, "note"]
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C"]),
                min_size=1, max_size=8).map(lambda name: f"x{name}x")
ROWS = st.lists(st.tuples(
    st.datetimes(pa.scalar(0, pa.timestamp("us")).as_py()).filter(lambda time: time.year < 2025),
    NAMES, NAMES, st.integers(0, 10**6), st.sampled_from(["0", "1", ""]),
    st.sampled_from(["", "plain", "a, b", 'say "so"', "two\nlines", "x\r\n\r\ny"])),
    min_size=1, max_size=30)
Drawn = list[tuple[Any, ...]]


def table(drawn: Drawn) -> list[list[str]]:
    return [[str(at), time.isoformat(" "), customer, terminal, f"{amount / 100}", label, note]
            for at, (time, customer, terminal, amount, label, note) in enumerate(drawn)]


def csv_lines(rows: list[list[str]], delimiter: str, newline: str, quoting: int) -> list[bytes]:
    found = []
    for row in rows:
        sink = io.StringIO()
        csv.writer(sink, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerow(row)
        found.append(sink.getvalue().encode())
    return found


def json_lines(rows: list[list[str]]) -> list[bytes]:
    return [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False).encode() + b"\n"
            for row in rows]


def read(path: Path) -> tuple[list[int], dict[str, tuple[str, ...]]]:
    """The numbers of all rows, and the valid ones by id."""
    numbers, valid = [], {}
    for batch in batches(path):
        numbers += batch.column("source_row").to_pylist()
        arrived = pa.array([ARRIVED] * len(batch), pa.timestamp("us", "UTC"))
        found = parse(batch.append_column("arrived_at", arrived), None)
        for row, good in zip(batch.to_pylist(), found.valid.to_pylist(), strict=True):
            if good:
                assert not any("\n" in row[name] or "\r" in row[name]
                               for name in ("transaction_id", "customer_id", "terminal_id"))
                valid[row["transaction_id"]] = tuple(row[name] for name in TRANSACTION_COLUMNS)
    assert len(numbers) == len(set(numbers))
    return numbers, valid


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 200)
    monkeypatch.setattr(pieces, "PIECE", 300)


def test_blank_lines_in_a_quoted_value_stay_in_it_wherever_a_block_ends(
        tmp_path: Path, small_blocks: None) -> None:
    time = datetime(2000, 1, 1)
    for length in range(1, 60):
        rows = table([(time, "c" * length, "t", 1, "0", 'say "so"')] * 2
                     + [(time, "c", "t", 1, "0", "x\r\n\r\ny")] * 2)
        path = tmp_path / f"{length}.csv"
        path.write_bytes(b"".join(csv_lines([HEADER, *rows], ",", "\n", csv.QUOTE_MINIMAL)))
        assert read(path) == ([1, 2, 3, 4], {row[0]: tuple(row[:6]) for row in rows})


@TRIED
@given(ROWS, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]),
       st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.booleans())
def test_each_row_of_a_csv_file_comes_through_as_it_was_written(
        tmp_path: Path, small_blocks: None, drawn: Drawn, delimiter: str, newline: str,
        quoting: int, packed: bool) -> None:
    rows = table(drawn)
    content = b"".join(csv_lines([HEADER, *rows], delimiter, newline, quoting))
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read(path) == (list(range(1, len(rows) + 1)), {row[0]: tuple(row[:6]) for row in rows})


DAMAGE = st.tuples(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True),
                   st.one_of(st.binary(min_size=1, max_size=9),
                             st.sampled_from([b'"', b',"', b'"\n', b"\x00", b"\xff", b"\r"])))


@TRIED
@given(ROWS, st.lists(DAMAGE, min_size=1, max_size=3), st.sampled_from(["csv", "jsonl"]))
def test_rows_whose_lines_are_whole_come_through_beside_damaged_ones(
        tmp_path: Path, small_blocks: None, drawn: Drawn, damage: list[tuple[float, float, bytes]],
        ending: str) -> None:
    rows = [[*row[:6], ""] for row in table(drawn)]
    written = (csv_lines(rows, ",", "\n", csv.QUOTE_MINIMAL) if ending == "csv"
               else json_lines(rows))
    damaged = set()
    for which, where, what in damage:
        at = int(which * len(rows))
        line = written[at]
        position = int(where * (len(line) - 1))
        written[at] = line[:position] + what + line[position + len(what):len(line) - 1] + b"\n"
        damaged.add(str(at))
    header = csv_lines([HEADER], ",", "\n", csv.QUOTE_MINIMAL) if ending == "csv" else json_lines(
        [["first", *rows[0][1:]]])
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"".join([*header, *written]))
    _, valid = read(path)
    whole = {row[0]: tuple(row[:6]) for row in rows if row[0] not in damaged}
    assert {name: valid.get(name) for name in whole} == whole


@TRIED
@given(ROWS, st.sampled_from(["parquet", "csv.gz", "csv.bz2", "json"]),
       st.lists(DAMAGE, min_size=1, max_size=3), st.booleans())
def test_a_file_with_damage_anywhere_raises_nothing_but_bad_input(
        tmp_path: Path, drawn: Drawn, ending: str, damage: list[tuple[float, float, bytes]],
        cut: bool) -> None:
    rows = table(drawn)
    if ending == "parquet":
        sink = io.BytesIO()
        pa.parquet.write_table(pa.table(dict(zip(HEADER, zip(*rows, strict=True), strict=True))),
                               sink, row_group_size=7, compression="snappy")
        content = sink.getvalue()
    else:
        text = b"".join(csv_lines([HEADER, *rows], ",", "\n", csv.QUOTE_MINIMAL))
        content = gzip.compress(text) if ending == "csv.gz" else text
    for where, _, what in damage:
        at = int(where * len(content))
        content = content[:at] + what + content[at + len(what):]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content[:int(damage[0][1] * len(content))] if cut else content)
    with suppress(BadInput):
        read(path)
