"""The parts of a page, printed on the terminal or as Markdown."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence

from branchline.lakehouse.difference.page import Part
from branchline.text import markdown, one_line, unprotected

__all__ = ["print_parts", "to_markdown"]

WIDEST = 48  # characters of a value
ELSEWHERE = 160  # width when the output is not a terminal
FIGURE = re.compile(r"([+-]?[\d,.]+(e[+-]\d+)?%?|\?)?")  # also empty, or unknown


def print_parts(parts: Iterable[Part]) -> None:
    """Print the parts on the terminal; text to the left, figures to the right."""
    from rich.console import Console
    width = None if unprotected(sys.stdout).isatty() else ELSEWHERE
    console = Console(highlight=False, markup=False, color_system=None, width=width)
    for part in parts:
        print(f"\n{one_line(part.title)}")
        for note in part.notes:
            print(f"  {one_line(note)}")
        if part.rows:
            console.print(_table(part))


def _table(part: Part) -> object:
    from rich.table import Table
    from rich.text import Text
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, right in zip(part.header, _figures(part), strict=True):
        table.add_column(Text(one_line(name)), justify="right" if right else "left",
                         overflow="fold")
    for row in part.rows:
        table.add_row(*(Text(_short(value)) for value in row))
    return table


def to_markdown(title: str, parts: Iterable[Part]) -> str:
    """The same as Markdown, for a build's page."""
    lines = [f"## {markdown(title)}", ""]
    for part in parts:
        lines += [f"### {markdown(part.title)}", ""]
        for note in part.notes:
            lines += [markdown(note), ""]
        if part.rows:
            lines += [*_markdown_table(part), ""]
    return "\n".join(lines)


def _markdown_table(part: Part) -> Iterator[str]:
    yield _row(part.header)
    yield "|" + "|".join("---:" if right else "---" for right in _figures(part)) + "|"
    for row in part.rows:
        yield _row([_short(value) for value in row])


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(markdown(value) for value in values)} |"


def _figures(part: Part) -> list[bool]:
    """Which columns have figures only."""
    columns = zip(*part.rows, strict=True)
    return [all(map(FIGURE.fullmatch, column)) and any(column) for column in columns]


def _short(value: str) -> str:
    line = one_line(value)
    return line if len(line) <= WIDEST else f"{line[:WIDEST - 3]}..."
