"""Splits a text into blocks of whole lines, and counts the lines in a part of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

__all__ = ["TOO_LONG", "blocks", "count_rows", "last_end"]

BLOCK = 4 << 20
LONGEST = 16 << 20
TOO_LONG = b"\x00"  # replaces a longer line: not a row of a table, not a JSON object
NEWLINE, RETURN = 10, 13


def blocks(file: IO[bytes], size: int | None = None) -> Iterator[bytes]:
    """Blocks of whole lines from the file's position on, `size` bytes or all; no line is cut.

    A line ends with LF, CR LF or CR. A line of more than LONGEST bytes comes as TOO_LONG.
    """
    left, carried, skipping = size, b"", False
    while chunk := file.read(BLOCK if left is None else min(BLOCK, left)):
        left = None if left is None else left - len(chunk)
        if skipping:
            end = _first_end(chunk)
            if end < 0:
                continue
            chunk, skipping = b"\n" + chunk[end:], False
        block = carried + chunk
        cut = last_end(block)
        if cut:
            yield block[:cut]
        carried = block[cut:]
        if len(carried) > LONGEST:
            carried, skipping = TOO_LONG, True
    if carried:
        yield carried


def last_end(block: bytes) -> int:
    """The position after the last line that is known to be whole; after a CR, an LF may follow."""
    return max(block.rfind(b"\n"), block.rfind(b"\r", 0, max(len(block) - 1, 0))) + 1


def _first_end(block: bytes) -> int:
    found = [at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0]
    return min(found) + 1 if found else -1


def count_rows(block: bytes) -> int:
    """How many of a block's lines are not blank."""
    data = np.frombuffer(block, np.uint8)
    ends = (data == NEWLINE) | (data == RETURN)
    begins = ~ends
    begins[1:] &= ends[:-1]
    return int(np.count_nonzero(begins))
