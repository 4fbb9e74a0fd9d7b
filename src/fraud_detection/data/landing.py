"""Reads the bytes of one landed file, whatever it holds, into rows of text."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from branchline import BadInput
from fraud_detection.data.tables import TRANSACTION_COLUMNS
from fraud_detection.settings import Columns

__all__ = ["SCHEMA", "read_landed"]

TEXT_COLUMNS = (*TRANSACTION_COLUMNS, "problem", "ignored_columns")
SCHEMA = pa.schema([("source_row", pa.int64()), *((name, pa.string()) for name in TEXT_COLUMNS)])
ROWS_AT_ONCE = 65_536
OPTIONAL = ("transaction_id",)


@dataclass(frozen=True)
class Rows:
    """Rows of a file: their numbers from 1, the file's own columns as text, problems by row."""

    numbers: pa.Array
    values: pa.Table
    problems: pa.Array | None = None


class NoData(Exception):
    """The file is not what its name says; the text is the reason that its one row keeps."""


def read_landed(file: str, content: bytes, columns: Columns) -> Iterator[pa.RecordBatch]:
    """The file's rows in SCHEMA; a file that is no data gives one row, number 0, with the problem.

    Raises:
        BadInput: the file is a table but lacks a required column.
    """
    try:
        for rows in _rows(file.lower(), content):
            yield _batch(file, rows, columns)
    except NoData as problem:
        whole_file = {"source_row": 0, "problem": f"file: {problem}"}
        yield pa.RecordBatch.from_pylist([whole_file], schema=SCHEMA)


def _rows(name: str, content: bytes) -> Iterator[Rows]:
    if not content:
        raise NoData("empty")
    if name.endswith(".gz"):
        try:
            name, content = name[:-3], gzip.decompress(content)
        except (OSError, EOFError) as problem:
            raise NoData(f"not a whole gzip file ({problem})") from None
    if name.endswith(".parquet"):
        return _parquet(content)
    if name.endswith(".csv"):
        return _csv(_utf8(content))
    if name.endswith((".json", ".jsonl", ".ndjson")):
        return _json_lines(_utf8(content))
    raise NoData("not Parquet (.parquet), CSV (.csv) or JSON lines (.json, .jsonl, .ndjson)")


def _parquet(content: bytes) -> Iterator[Rows]:
    first = 1
    try:
        for batch in pa.parquet.ParquetFile(io.BytesIO(content)).iter_batches(ROWS_AT_ONCE):
            text = [values.cast(pa.string()) for values in batch.columns]
            yield Rows(pa.array(range(first, first + len(batch))),
                       pa.table(text, names=batch.schema.names))
            first += len(batch)
    except (pa.ArrowException, OSError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise NoData(f"not a readable Parquet file ({reason})") from None


def _csv(text: str) -> Iterator[Rows]:
    header = text[:text.find("\n") + 1] or text
    delimiter = max(",;\t|", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    ragged: list[tuple[int, str]] = []

    def keep(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append((row.number - 1, f"row has {row.actual_columns} values, "
                                       f"expected {row.expected_columns}"))
        return "skip"

    try:
        table = pa.csv.read_csv(
            io.BytesIO(text.encode()), pa.csv.ReadOptions(use_threads=False),
            pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True,
                                invalid_row_handler=keep),
            pa.csv.ConvertOptions(column_types={name: pa.string() for name in names}))
    except pa.ArrowException as problem:
        raise NoData(f"not CSV ({problem})") from None
    skipped = [number for number, _ in ragged]
    numbers = np.setdiff1d(np.arange(1, table.num_rows + len(ragged) + 1), skipped)
    yield Rows(pa.array(numbers), table)
    if ragged:
        empty = pa.table({name: pa.nulls(len(ragged), pa.string()) for name in table.column_names})
        yield Rows(pa.array(skipped), empty, pa.array([reason for _, reason in ragged]))


def _json_lines(text: str) -> Iterator[Rows]:
    lines = [_json_object(line) for line in text.splitlines() if line.strip()]
    if not any(lines):
        raise NoData("not JSON lines (an object a line)")
    names = list(dict.fromkeys(name for line in lines if line for name in line))
    values = {name: pa.array([_json_text((line or {}).get(name)) for line in lines], pa.string())
              for name in names}
    problems = pa.array([None if line is not None else "row is not a JSON object"
                         for line in lines], pa.string())
    yield Rows(pa.array(range(1, len(lines) + 1)), pa.table(values), problems)


def _json_object(line: str) -> dict[str, object] | None:
    try:
        value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _json_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _utf8(content: bytes) -> str:
    """The text; UTF-16 by its mark, else UTF-8, undecodable bytes becoming U+FFFD."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def _batch(file: str, rows: Rows, columns: Columns) -> pa.RecordBatch:
    """The rows under the pipeline's column names; what the file has besides is only named."""
    places = _places(file, rows.values.column_names, columns)
    ignored = sorted(set(rows.values.column_names) - set(places.values()))
    size = len(rows.numbers)
    text = {name: rows.values[place] if place else pa.nulls(size, pa.string())
            for name, place in places.items()}
    if not places["transaction_id"]:
        text["transaction_id"] = _made_ids(file, rows.numbers)
    problem = rows.problems if rows.problems is not None else pa.nulls(size, pa.string())
    for values in text.values():
        garbled = pc.fill_null(pc.match_substring(values, "\ufffd"), False)
        problem = pc.if_else(garbled, "text is not UTF-8", problem)
    table = pa.table({
        "source_row": rows.numbers, **text, "problem": problem,
        "ignored_columns": pa.array([", ".join(ignored) or None] * size, pa.string())})
    return table.cast(SCHEMA).combine_chunks().to_batches()[0] if size else _nothing()


def _made_ids(file: str, numbers: pa.Array) -> pa.Array:
    """`name-hash of the path-row`: two folders may hold files of one name."""
    prefix = f"{PurePath(file).name}-{hashlib.sha256(file.encode()).hexdigest()[:8]}-"
    return pc.binary_join_element_wise(prefix, numbers.cast(pa.string()), "")


def _nothing() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=SCHEMA)


def _places(file: str, found: list[str], columns: Columns) -> dict[str, str]:
    """The file's column for each of ours: the mapping's name, else our own; "" for none."""
    places = {name: mapped if mapped in found else name if name in found and mapped else ""
              for name, mapped in columns.names}
    missing = [mapped for name, mapped in columns.names
               if mapped and not places[name] and name not in OPTIONAL]
    required = [mapped for name, mapped in columns.names if mapped and name not in OPTIONAL]
    if len(missing) == len(required):
        raise NoData("none of the expected columns; found " + ", ".join(found)[:200])
    if missing:
        raise BadInput(f"{file}: column {', '.join(missing)} is missing; found "
                       f"{', '.join(found)}. Correct the file, or name its columns with "
                       "-P columns=FILE.yml, and run again: nothing of this batch was taken.")
    return places
