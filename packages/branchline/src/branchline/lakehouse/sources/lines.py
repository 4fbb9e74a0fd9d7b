"""A text's lines in blocks of some megabytes, and how many lines a stretch of a file has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

__all__ = ["TOO_LONG", "blocks", "count_rows", "last_end"]

BLOCK = 4 << 20
LONGEST = 16 << 20
TOO_LONG = b"\x00"  # stands for a line that is longer: no row of a table, no JSON object
NEWLINE, RETURN = 10, 13


def blocks(file: IO[bytes], size: int | None = None) -> Iterator[bytes]:
    """Blocks of whole lines from where the file stands, `size` bytes or all; no line is cut.

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
    """The position behind the last line that is known to be whole; a CR may have its LF to come."""
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
