"""How a file's bytes are packed and encoded, and the file as plain UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from typing import IO, cast

from branchline.lakehouse.sources.layout import Unreadable

__all__ = ["Coding", "coding_of", "head_of", "plain"]

HEAD = 1 << 20
IN_MEMORY = 32 << 20
AT_ONCE = 1 << 20
GZIP, BZIP2 = b"\x1f\x8b", b"BZh"
FOREIGN = {b"PK\x03\x04": "a zip archive: unpack it", b"PAR1": "a Parquet file: name it .parquet",
           b"\x28\xb5\x2f\xfd": "a zstd file: unpack it", b"\xfd7zXZ": "an xz file: unpack it",
           b"\x89PNG": "a picture", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an Office document"}
MARKS = ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
         (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"),
         (codecs.BOM_UTF16_BE, "utf-16-be"))
DAMAGE = (OSError, EOFError, zlib.error, ValueError)


@dataclass(frozen=True)
class Coding:
    """The compression ("", "gzip", "bzip2"), the encoding, and the size of its byte order mark."""

    compression: str = ""
    encoding: str = "utf-8"
    mark: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether the file can be read from any position, as it is."""
        return not self.compression and self.encoding == "utf-8"


def coding_of(path: str | bytes) -> Coding:
    """Recognises the coding by the first bytes, whatever the file's name.

    Raises:
        Unreadable: empty, damaged, or a kind of file without rows.
        OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        first = file.read(8)
    if not first:
        raise Unreadable("empty")
    compression = ("gzip" if first.startswith(GZIP) else
                   "bzip2" if first.startswith(BZIP2) else "")
    start = _begin(path, compression, 64)
    for magic, kind in FOREIGN.items():
        if start.startswith(magic):
            raise Unreadable(f"not text but {kind}")
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return Coding(compression, encoding, len(mark))
    return Coding(compression, _unmarked(start))


def _unmarked(start: bytes) -> str:
    """In UTF-16, mostly ASCII text has a zero in every second byte."""
    if len(start) >= 8:
        if start[1::2].count(0) == len(start) // 2 and 0 not in start[::2]:
            return "utf-16-le"
        if start[::2].count(0) == (len(start) + 1) // 2 and 0 not in start[1::2]:
            return "utf-16-be"
    return "utf-8"


def head_of(path: str | bytes, coding: Coding) -> bytes:
    """The first bytes, about a million, as UTF-8 without a mark."""
    start = _begin(path, coding.compression, HEAD)[coding.mark:]
    if coding.encoding == "utf-8":
        return start
    return codecs.getincrementaldecoder(coding.encoding)("replace").decode(start).encode()


def _begin(path: str | bytes, compression: str, size: int) -> bytes:
    try:
        with _unpacked(path, compression) as file:
            return file.read(size)
    except DAMAGE as problem:
        raise _damaged(compression, problem) from None


def plain(path: str | bytes, coding: Coding) -> IO[bytes]:
    """The file, unpacked, as UTF-8, at the start of its text; a temporary copy if necessary.

    Raises:
        Unreadable: the packed file is damaged anywhere: then none of its rows can be trusted.
    """
    if coding.is_plain:
        file = open(path, "rb")
        file.seek(coding.mark)
        return file
    copy: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)
    try:
        with _unpacked(path, coding.compression) as packed:
            packed.read(coding.mark)
            if coding.encoding == "utf-8":
                shutil.copyfileobj(packed, copy, AT_ONCE)
            else:
                _recode(packed, copy, coding.encoding)
    except DAMAGE as problem:
        copy.close()
        raise _damaged(coding.compression, problem) from None
    copy.seek(0)
    return copy


def _recode(source: IO[bytes], target: IO[bytes], encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while block := source.read(AT_ONCE):
        target.write(decoder.decode(block).encode("utf-8", "replace"))
    target.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))


def _unpacked(path: str | bytes, compression: str) -> IO[bytes]:
    if compression == "gzip":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return bz2.open(path, "rb") if compression == "bzip2" else open(path, "rb")


def _damaged(compression: str, problem: Exception) -> Unreadable | OSError:
    if not compression and isinstance(problem, OSError):
        return problem
    return Unreadable(f"not a whole {compression} file ({problem or type(problem).__name__})")
