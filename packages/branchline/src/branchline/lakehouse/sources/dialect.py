"""The dialect of a CSV file: its delimiter, and its columns by the header."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from branchline.lakehouse.sources.layout import Found, Layout, Unreadable

__all__ = ["Dialect", "cells", "dialect_of"]

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Dialect:
    """A file's delimiter, its columns, and where its rows begin after the header, in bytes."""

    delimiter: str
    found: Found
    begin: int

    @property
    def width(self) -> int:
        return len(self.found.names)

    @property
    def wanted(self) -> dict[str, int]:
        return {name: at for name, at in self.found.positions.items() if at is not None}


def dialect_of(file: str, head: bytes, layout: Layout) -> Dialect:
    """Reads the first lines; the delimiter is the one that finds the most columns.

    Raises:
        Unreadable: no header, or a header with none of the columns or one of them twice.
        BadInput: a required column is not there.
    """
    begin, line = _header(head)
    declared = line.strip().lower().removeprefix(b"sep=")
    if len(declared) == 1 and line.strip().lower().startswith(b"sep="):  # what Excel writes
        after, line = _header(head[begin:])
        begin += after
        choices = declared.decode("latin-1")
    else:
        choices = DELIMITERS
    text = line.decode("utf-8", "replace")
    if not text.strip():
        raise Unreadable("blank lines only")
    delimiter = max(choices, key=lambda choice: (_known(text, choice, layout), text.count(choice)))
    return Dialect(delimiter, layout.find(file, cells(text, delimiter)), begin)


def _header(head: bytes) -> tuple[int, bytes]:
    """The first line that is not blank, and where the next begins."""
    at = 0
    for line in head.splitlines(keepends=True):
        at += len(line)
        if line.strip():
            return at, line.rstrip(b"\r\n")
    return at, b""


def _known(text: str, delimiter: str, layout: Layout) -> int:
    return len(layout.expected() & {name.strip() for name in cells(text, delimiter)})


def cells(text: str, delimiter: str) -> list[str]:
    """The values of one line, whatever its quotes."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)
