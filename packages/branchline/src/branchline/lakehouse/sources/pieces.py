"""Cuts a file into pieces that can be read one by one, and reads a piece."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

import pyarrow as pa

from branchline.errors import BadInput
from branchline.lakehouse.sources import coding, delimited, json_lines, lines, parquet
from branchline.lakehouse.sources.coding import Coding
from branchline.lakehouse.sources.dialect import Dialect, dialect_of
from branchline.lakehouse.sources.layout import Found, Layout, Unreadable, whole_file
from branchline.lakehouse.sources.listing import Landed

__all__ = ["FileChanged", "Piece", "pieces_of", "read_piece"]

PIECE = 32 << 20
SLICE, SLICES = 1 << 18, 8  # rows, and parts at most: each reads its row group from the start
KINDS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".psv": "csv", ".txt": "csv",
         ".json": "json", ".jsonl": "json", ".ndjson": "json"}
PACKED = (".gz", ".bz2")
EXPECTED = "Parquet (.parquet), CSV (.csv, .tsv) or JSON lines (.json, .jsonl, .ndjson)"


class FileChanged(Exception):
    """A file vanished or changed after it was listed; the text is its address."""


@dataclass(frozen=True)
class Piece:
    """A part of a file: rows of a row group, or a range of bytes that begins with a line.

    `first` is its first row's number. If there is a `problem`, that is all the piece yields.
    """

    file: Landed
    kind: str = ""
    coding: Coding = Coding()
    group: int = 0
    start: int = 0
    size: int | None = None
    first: int = 1
    dialect: Dialect | None = None
    found: Found | None = None
    problem: str | None = None
    weight: int = 0


def pieces_of(file: Landed, layout: Layout) -> list[Piece]:
    """The file's pieces; a file without data is one piece with the reason.

    Raises:
        BadInput: the file has columns of the layout, but lacks a required one.
        FileChanged: it is no longer there.
    """
    try:
        return _pieces(file, layout)
    except Unreadable as problem:
        return [Piece(file, problem=str(problem))]
    except FileNotFoundError:
        raise FileChanged(file.address) from None
    except BadInput:
        raise
    except Exception as problem:  # readers fail in any way on unknown files
        return [Piece(file, problem=f"{type(problem).__name__}: {problem}")]


def _pieces(file: Landed, layout: Layout) -> list[Piece]:
    stem, ending = os.path.splitext(file.path.lower())
    kind = KINDS.get(os.path.splitext(stem)[1] if ending in PACKED else ending)
    if kind is None:
        raise Unreadable(f"not {EXPECTED}")
    if not file.size:
        raise Unreadable("empty")
    if kind == "parquet":
        return _parquet_pieces(file, layout)
    packed = coding.coding_of(file.path)
    head = coding.head_of(file.path, packed)
    piece = Piece(file, kind, packed, start=packed.mark, weight=file.size)
    if kind == "csv":
        dialect = dialect_of(file.address, head, layout)
        piece = replace(piece, dialect=dialect, found=dialect.found,
                        start=dialect.begin + (packed.mark if packed.is_plain else 0))
    else:
        piece = replace(piece, found=json_lines.columns_of(file.address, head, layout))
    if not packed.is_plain or file.size <= PIECE:
        return [piece]
    return _cut(piece)


def _parquet_pieces(file: Landed, layout: Layout) -> list[Piece]:
    with open(file.path, "rb") as source:
        opened = parquet.opened(source)
        piece = Piece(file, "parquet", found=parquet.columns_of(file.address, opened, layout))
        first, cut = 1, []
        for group in range(opened.num_row_groups):
            about = opened.metadata.row_group(group)
            step = max(SLICE, -(-about.num_rows // SLICES))
            for start in range(0, about.num_rows, step):
                size = min(step, about.num_rows - start)
                cut.append(replace(piece, group=group, start=start, size=size, first=first + start,
                                   weight=about.total_byte_size * size // about.num_rows))
            first += about.num_rows
    return cut


def _cut(piece: Piece) -> list[Piece]:
    """Ranges of about PIECE bytes that begin with a line; the whole file if it has quotes.

    Only without quotes does every line end a row.
    """
    found, start, first, rows = [], piece.start, piece.first, 0
    with open(piece.file.path, "rb") as source:
        source.seek(start)
        at = start
        for block in lines.blocks(source):
            if piece.kind == "csv" and b'"' in block or block == lines.TOO_LONG:
                return [piece]
            at += len(block)
            rows += lines.count_rows(block)
            if at - start >= PIECE:
                found.append(replace(piece, start=start, size=at - start, first=first,
                                     weight=at - start))
                start, first, rows = at, first + rows, 0
    if at > start:
        found.append(replace(piece, start=start, size=at - start, first=first, weight=at - start))
    return found


def read_piece(piece: Piece, layout: Layout) -> Iterator[pa.RecordBatch]:
    """The piece's rows in the layout's schema; whatever is wrong with the piece becomes a row.

    Raises:
        FileChanged: before or after reading, the file differs from the listing.
    """
    _compare(piece.file)
    if piece.problem is not None:
        yield whole_file(layout, piece.problem)
        return
    following = piece.first
    try:
        for batch in _read(piece, layout):
            if len(batch):
                following = batch.column(0)[len(batch) - 1].as_py() + 1
                yield batch
    except Unreadable as problem:
        yield whole_file(layout, str(problem), 0 if following == 1 else following)
    except Exception as problem:  # see pieces_of
        yield whole_file(layout, f"{type(problem).__name__}: {problem}",
                         0 if following == 1 else following)
    _compare(piece.file)


def _read(piece: Piece, layout: Layout) -> Iterator[pa.RecordBatch]:
    if piece.kind == "parquet":
        assert piece.found is not None and piece.size is not None
        with open(piece.file.path, "rb") as source:
            yield from parquet.read(parquet.opened(source), piece.group,
                                    range(piece.start, piece.start + piece.size), piece.first,
                                    piece.found, layout)
        return
    with coding.plain(piece.file.path, piece.coding) as text:
        text.seek(piece.start if piece.coding.is_plain or piece.kind == "csv" else 0)
        yield from _lines(text, piece, layout)


def _lines(text: IO[bytes], piece: Piece, layout: Layout) -> Iterator[pa.RecordBatch]:
    if piece.dialect is None:
        return json_lines.read(text, piece.size, piece.first, layout)
    return delimited.read(text, piece.size, piece.first, piece.dialect, layout)


def _compare(file: Landed) -> None:
    try:
        status = os.stat(file.path)
    except OSError:
        raise FileChanged(file.address) from None
    if (status.st_size, status.st_mtime_ns) != (file.size, file.modified):
        raise FileChanged(file.address)
