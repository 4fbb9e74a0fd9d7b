"""The drift reference: what inputs and scores were like in training, frozen with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from branchline.records import Format

__all__ = ["Column", "column", "from_record", "to_record"]

Floats: TypeAlias = NDArray[np.float64]
FORMAT = Format("drift-reference", 1)
DECILES = np.arange(1, 10) / 10


@dataclass(frozen=True)
class Column:
    """An input or a score: `rows` looked at, the share of them that is `missing`, and their bins.

    A bin holds its upper edge; `shares` are of the known rows, one more than `edges`. `least` and
    `most` are None where no row is known, as is `mean`.
    """

    rows: int
    missing: float
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    mean: float | None
    least: float | None
    most: float | None


def column(values: Floats) -> Column:
    """The reference of a column's values; NaN is a missing one."""
    known = values[~np.isnan(values)]
    missing = float(1 - len(known) / max(len(values), 1))
    if not len(known):
        return Column(len(values), missing, (), (1.0,), None, None, None)
    edges = np.unique(np.quantile(known, DECILES, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return Column(len(values), missing, tuple(edges.tolist()),
                  tuple((counts / len(known)).tolist()), float(known.mean()), float(known.min()),
                  float(known.max()))


def to_record(columns: Mapping[str, Column]) -> dict[str, Any]:
    """A JSON object with its format."""
    return FORMAT.written({"columns": {name: asdict(each) for name, each in columns.items()}})


def from_record(content: Mapping[str, Any], where: str) -> dict[str, Column]:
    """The columns in an object that `to_record` of this or an older version made.

    Raises:
        BadInput: it has a newer format.
    """
    found = FORMAT.read(content, where)["columns"]
    return {name: Column(**{**each, "edges": tuple(each["edges"]),
                            "shares": tuple(each["shares"])}) for name, each in found.items()}
