"""CSV and its relatives: blocks of lines as columns of text."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv

from branchline.lakehouse.sources import lines
from branchline.lakehouse.sources.dialect import Dialect, cells
from branchline.lakehouse.sources.layout import Layout, batch_of

__all__ = ["read"]

JOINED_LINES, JOINED_BYTES = 1000, 1 << 20  # the longest quoted value
UNCLOSED = "a quote is not closed"


def read(file: IO[bytes], size: int | None, first: int, dialect: Dialect,
         layout: Layout) -> Iterator[pa.RecordBatch]:
    """The rows in `size` bytes (None: to the end), numbered from `first`."""
    carried = b""
    source = lines.blocks(file, size)
    following = next(source, None)
    while following is not None:
        block, following = carried + _utf8(following), next(source, None)
        rows, carried = _rows(block, dialect, last=following is None)
        for numbers, values, problems in rows:
            yield batch_of(layout, pa.array(numbers + first), values, problems,
                           dialect.found.ignored)
        first += sum(len(numbers) for numbers, _, _ in rows)


Part = tuple[np.ndarray, dict[str, pa.Array | None], pa.Array | None]


def _rows(block: bytes, dialect: Dialect, last: bool) -> tuple[list[Part], bytes]:
    """A block's rows, numbered from 0, and the bytes that belong to a row of the next block."""
    quotes = b'"' in block
    if not quotes or not _open_at_end(block, dialect):
        table, skipped = _parsed(block, dialect)
        if not quotes or table.num_rows + len(skipped) == lines.count_rows(block):
            return _numbered(table, skipped, dialect), b""
    return _line_by_line(block, dialect, last)


def _open_at_end(block: bytes, dialect: Dialect) -> bool:
    """Whether the last line leaves a quote open; blank lines after it belong to the value."""
    filled = block.rstrip(b"\r\n")
    line = filled[lines.last_end(filled):] + b"\n"
    return b'"' in line and _cells_of([line], dialect) is None


def _parsed(block: bytes, dialect: Dialect) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Columns of bytes, and the positions of skipped rows with their reasons."""
    skipped: list[tuple[int, str]] = []

    def skip(row: pyarrow.csv.InvalidRow) -> str:
        skipped.append((row.number - 1, _ragged(row.actual_columns, row.expected_columns)))
        return "skip"

    names = [str(at) for at in range(dialect.width)]
    wanted = sorted({str(at) for at in dialect.wanted.values()}, key=int)
    table = pa.csv.read_csv(
        pa.BufferReader(block),
        pa.csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
        pa.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True,
                            invalid_row_handler=skip),
        pa.csv.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()),
                              include_columns=wanted, check_utf8=False))
    return table, skipped


def _ragged(actual: int, expected: int) -> str:
    return f"row has {actual} values, expected {expected}"


def _numbered(table: pa.Table, skipped: list[tuple[int, str]], dialect: Dialect) -> list[Part]:
    positions = np.array([position for position, _ in skipped], np.int64)
    numbers = np.arange(table.num_rows + len(skipped))
    values = {name: _whole(table[str(at)]) for name, at in dialect.wanted.items()}
    parts: list[Part] = [(np.delete(numbers, positions), values, None)]
    if skipped:
        parts.append((positions, {}, pa.array([reason for _, reason in skipped])))
    return parts


def _whole(values: pa.ChunkedArray) -> pa.Array:
    found = values.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _utf8(block: bytes) -> bytes:
    """The block; bytes that are not UTF-8 become U+FFFD.

    Arrow does not report rows that are both ragged and not UTF-8.
    """
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "replace").encode()
    return block


def _line_by_line(block: bytes, dialect: Dialect, last: bool) -> tuple[list[Part], bytes]:
    """Like `_rows`, for a block with a quoted value that spans lines or never ends."""
    found = block.splitlines(keepends=True)
    values: dict[str, list[str | None]] = {name: [] for name in dialect.wanted}
    problems: list[str | None] = []
    at = offset = 0
    while at < len(found):
        line, count = found[at], 1
        if line.strip(b"\r\n"):
            row = _cells_of(found[at:at + JOINED_LINES] if b'"' in line else [line], dialect)
            if (row is None and not last and len(found) - at < JOINED_LINES
                    and len(block) - offset < JOINED_BYTES):
                break
            row_cells, count, problem = _checked(row, line, dialect)
            problems.append(problem)
            for name, position in dialect.wanted.items():
                values[name].append(row_cells[position] if row_cells else None)
        offset += sum(map(len, found[at:at + count]))
        at += count
    texts = {name: pa.array(column, pa.string()) for name, column in values.items()}
    return [(np.arange(len(problems)), texts, pa.array(problems, pa.string()))], block[offset:]


Cells = tuple[list[str], int]


def _cells_of(following: list[bytes], dialect: Dialect) -> Cells | None:
    """The values of the row that begins here, and its lines; None: its quote is not closed."""
    if b'"' not in following[0]:
        line = following[0].decode().rstrip("\r\n")
        return line.split(dialect.delimiter), 1
    text = [line.decode() for line in following]
    reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error:
        alone = reader.line_num == 1 and len(following) > 1 or not _is_open(text[0], dialect)
        return (cells(text[0].rstrip("\r\n"), dialect.delimiter), 1) if alone else None


def _is_open(line: str, dialect: Dialect) -> bool:
    """Whether a quote that opens in the line is still open at its end."""
    reader = csv.reader([line, '"'], delimiter=dialect.delimiter)
    with contextlib.suppress(csv.Error):
        next(reader)
    return reader.line_num > 1


def _checked(row: Cells | None, line: bytes, dialect: Dialect,
             ) -> tuple[list[str] | None, int, str | None]:
    """The row's values, lines and problem; none of our columns may hold a line break.

    If the lines are not a row, the first one is a row with a problem, and the next starts a new
    row.
    """
    if row is None:
        return None, 1, UNCLOSED
    found, count = row
    broken = any(mark in found[at] for mark in "\r\n" for at in dialect.wanted.values()
                 if at < len(found))
    if len(found) == dialect.width and not broken:
        return found, count, None
    return None, 1, UNCLOSED if count > 1 or broken else _ragged(len(found), dialect.width)
