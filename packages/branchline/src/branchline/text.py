"""Makes text from outside safe for a terminal, a CI log, Markdown and HTML; removes secrets."""

from __future__ import annotations

import html as _html
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO, cast

__all__ = ["code", "collapsed", "html", "markdown", "one_line", "printable", "protect_output",
           "protected_output", "safe", "unprotected", "without_credentials"]

# The part of an address before @; a password may itself contain / or @, a port may not.
USER = re.compile(r"(?<=://)(?:[^\s/?#'\"<>]*@|[^\s/:@'\"<>]*:(?![0-9]+[/?#])[^\s'\"<>]*@)")
SECRET = re.compile(r"([?&;][\w.-]*(?:token|secret|passw|pwd|sig|credential|key)[\w.-]*=)"
                    r"[^&;\s'\"<>]+", re.IGNORECASE)
TOKEN = re.compile(r"\b(dapi)[0-9a-f]{16,}(?:-[0-9]+)?\b|\b(Bearer\s+)[\w.~+/=-]{8,}")
# Azure Pipelines (and GitHub's old form) find a command anywhere in a line.
ANYWHERE = re.compile(r"#(?=#\w*\[)")
AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, bidi and other formats, lone surrogates, breaks
KEPT = {"\n", "\t"}
MARKDOWN = re.compile(r"[\\`*\[\]|~$@#]|(?<!\w)_|_(?!\w)|(?<=www)\.|:(?=//)")


def without_credentials(text: str) -> str:
    """The text without addresses' users and passwords; secret parameters and tokens are `***`."""
    text = SECRET.sub(r"\1***", USER.sub("", text))
    return TOKEN.sub(lambda found: (found[1] or found[2]) + "***", text)


def printable(text: str) -> str:
    """The text with control and format characters as `\\x1b`; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if each not in KEPT and unicodedata.category(each) in HIDDEN
                   else each for each in text.replace("\r\n", "\n"))


def safe(text: str) -> str:
    """The text for a terminal or a log: printable, without credentials and without CI commands."""
    shown = printable(without_credentials(text))
    return AT_START.sub(r"\1: ", ANYWHERE.sub("# ", shown))


def one_line(text: str) -> str:
    """`safe` text, its lines joined by spaces."""
    return safe(" ".join(filter(None, map(str.strip, re.split(r"[\r\n]+", text)))))


def collapsed(text: object) -> str:
    """The text of a value with each run of white space, line breaks included, as one space."""
    return " ".join(str(text).split())


def markdown(text: str) -> str:
    """`safe` text of one line that Markdown, in a table or not, shows as it is."""
    escaped = _html.escape(one_line(text), quote=False)
    return MARKDOWN.sub(lambda found: "\\" + found[0], escaped)


def code(text: str) -> str:
    """`safe` text of one line as a Markdown code span."""
    line = one_line(text) or "none"
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence, room = "`" * (longest + 1), " " if "`" in line else ""
    return f"{fence}{room}{line}{room}{fence}"


def html(text: str) -> str:
    """The text for HTML elements and quoted attributes; line breaks stay."""
    return _html.escape(printable(without_credentials(text)))


def _escaped(character: str) -> str:
    number = ord(character)
    return (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000
            else f"\\U{number:08x}")


class _Protected:
    """A text stream that passes on only safe text; everything else is the wrapped stream's."""

    def __init__(self, stream: IO[str]) -> None:
        self.unprotected = stream

    def write(self, text: str) -> int:
        self.unprotected.write(safe(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unprotected, name)


def protect_output() -> None:
    """From now on, everything that this process prints is `safe`."""
    sys.stdout, sys.stderr = (cast(TextIO, _Protected(unprotected(each)))
                              for each in (sys.stdout, sys.stderr))


@contextmanager
def protected_output() -> Iterator[None]:
    """In the block, everything that this process prints is `safe`."""
    before = sys.stdout, sys.stderr
    protect_output()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def unprotected(stream: IO[str]) -> IO[str]:
    """The stream that a CI's own commands are written to."""
    found: IO[str] = getattr(stream, "unprotected", stream)
    return found
