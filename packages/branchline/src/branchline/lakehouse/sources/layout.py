"""Which columns are read from a file, under which names, and the resulting rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from branchline.errors import BadInput
from branchline.text import collapsed

__all__ = ["Found", "Layout", "Unreadable", "batch_of", "ignored", "shortened", "whole_file"]

NOT_UTF8 = "text is not UTF-8"
SHOWN = 200


class Unreadable(Exception):
    """A file is not what its name says; the text is the reason kept in its one row."""


@dataclass(frozen=True)
class Layout:
    """The columns to read.

    `names` pairs a column of the table with its name in the files ("" where the files have none);
    a file may lack the `optional` ones, and JSON lines also the `late` ones, which come with time.
    """

    names: tuple[tuple[str, str], ...]
    optional: tuple[str, ...] = ()
    late: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The row's number, columns of text, and what is wrong with the row."""
        text = [(name, pa.string()) for name, _ in self.names]
        return pa.schema([("source_row", pa.int64()), *text,
                          ("problem", pa.string()), ("ignored_columns", pa.string())])

    def expected(self) -> set[str]:
        """Every name that one of the columns may have in a file."""
        return {name for pair in self.names if pair[1] for name in pair}

    def find(self, file: str, found: Sequence[str], lines: bool = False) -> Found:
        """The positions of the columns among those `found` in a file; `lines`: JSON lines.

        Raises:
            Unreadable: none of the columns is there, or one occurs twice.
            BadInput: some are there, but a required one is not.
        """
        names = [name.strip() for name in found]
        in_file = {ours: theirs if theirs in names else ours if theirs and ours in names else ""
                   for ours, theirs in self.names}
        for name in in_file.values():
            if names.count(name) > 1:
                raise Unreadable(f"column {name} occurs {names.count(name)} times")
        spared = {*self.optional, *(self.late if lines else ())}
        required = [(ours, theirs) for ours, theirs in self.names if theirs and ours not in spared]
        missing = [theirs for ours, theirs in required if not in_file[ours]]
        if required and len(missing) == len(required):
            raise Unreadable(f"none of the expected columns; found {', '.join(names)}")
        if missing:
            raise BadInput(f"{file}: column {', '.join(missing)} is missing; found "
                           f"{shortened(', '.join(names))}. Correct the file, or name its columns "
                           "with -P columns=FILE.yml, and run again: nothing of this batch was "
                           "taken.")
        at = {ours: names.index(name) if name else None for ours, name in in_file.items()}
        return Found(at, {ours: None if n is None else found[n] for ours, n in at.items()},
                     ignored(set(names) - set(in_file.values())), tuple(names))


@dataclass(frozen=True)
class Found:
    """A file's columns: position and raw name of each of ours, the ones kept out, and all names."""

    positions: dict[str, int | None]
    raw: dict[str, str | None]
    ignored: str | None
    names: tuple[str, ...]


def ignored(names: set[str]) -> str | None:
    """The names in order, cut if there are very many; None for no names."""
    if not names:
        return None
    text, count = "", 0
    for name in sorted(names):
        if text and len(text) + len(name) > SHOWN:
            return f"{text}, and {len(names) - count} more"
        text, count = f"{text}, {name[:SHOWN]}" if text else name[:SHOWN], count + 1
    return text


def batch_of(layout: Layout, numbers: pa.Array, values: dict[str, pa.Array | None],
             problems: pa.Array | None, ignored_columns: str | None) -> pa.RecordBatch:
    """Rows in the layout's schema; text that was not UTF-8 (it holds U+FFFD) is a problem."""
    size = len(numbers)
    problem = pa.nulls(size, pa.string()) if problems is None else problems
    columns = []
    for name, _ in layout.names:
        text = values.get(name)
        text = pa.nulls(size, pa.string()) if text is None else text
        columns.append(text)
        if _may_hold(text, b"\xef\xbf\xbd"):
            garbled = pc.fill_null(pc.match_substring(text, "\ufffd"), False)
            problem = pc.if_else(pc.and_(garbled, pc.is_null(problem)), NOT_UTF8, problem)
    return pa.RecordBatch.from_arrays(
        [numbers, *columns, problem, pa.repeat(pa.scalar(ignored_columns, pa.string()), size)],
        schema=layout.schema)


def _may_hold(text: pa.Array, sought: bytes) -> bool:
    """Whether the bytes are in the array's memory: faster than checking each value."""
    data = text.buffers()[2]
    return data is not None and memoryview(data).tobytes().find(sought) >= 0


def whole_file(layout: Layout, problem: str, number: int = 0) -> pa.RecordBatch:
    """One row for a file, or the rest of a file, that cannot be read."""
    row = {"source_row": number, "problem": f"file: {shortened(problem)}"}
    return pa.RecordBatch.from_pylist([row], schema=layout.schema)


def shortened(text: str) -> str:
    """The text for a report: on one line, without control characters, cut to 200."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return collapsed(plain)[:SHOWN]
