"""A section of the report: a picture and the words above it."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """A picture, its file name, and the words above it in the report."""

    name: str
    heading: str
    words: str
    figure: Figure
