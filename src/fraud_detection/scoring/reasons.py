"""Which inputs speak for fraud: contributions that add up to the distance from a usual row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["contributions", "reasons", "usual", "usual_row"]

Floats: TypeAlias = NDArray[np.float64]
NOTE = "usual"
MOST = 3
SMALLEST = 1e-12


def usual(inputs: pd.DataFrame, label: pd.Series) -> dict[str, Any]:
    """The note for a model trained on these rows: the medians of the genuine ones."""
    medians = inputs[label == 0].median()
    return {NOTE: dict(zip(map(str, inputs), medians.tolist(), strict=True))}


def usual_row(notes: Mapping[str, Any], inputs: Sequence[str]) -> Floats | None:
    """The inputs of a usual transaction; None of a model that an older version trained."""
    found = notes.get(NOTE)
    return None if found is None else np.array([found[name] for name in inputs], np.float64)


def contributions(score: Callable[[Floats], Floats], rows: Floats, usual: Floats) -> Floats:
    """(rows, inputs): how much each input raises the log-odds of fraud above the usual row's.

    The inputs of the usual row are replaced by the row's one after the other, in their order and
    in the reverse one; the mean of both is taken. A row's contributions sum to the difference of
    its log-odds and the usual row's: the Shapley value's property, from two orders instead of all.

    Args:
        score: (rows, inputs) to scores, 0 to 1.

    Source: Strumbelj and Kononenko, "An Efficient Explanation of Individual Classifications using
    Game Theory" (2010).
    """
    count, width = rows.shape
    forward = np.tri(width + 1, width, -1, np.bool_)  # step n has the row's first n inputs
    steps = np.concatenate([forward, forward[:, ::-1]])
    replaced = np.where(steps, rows[:, None, :], usual)
    found = np.clip(score(replaced.reshape(-1, width)), SMALLEST, 1 - SMALLEST)
    odds = np.log(found / (1 - found)).reshape(count, 2, width + 1)
    gains = np.diff(odds, axis=2)
    means: Floats = (gains[:, 0] + gains[:, 1, ::-1]) / 2
    return means


def reasons(names: Sequence[str], row: Sequence[float], gains: Floats) -> list[dict[str, Any]]:
    """The inputs of one row that speak for fraud, the strongest first, at most three."""
    order = np.argsort(-gains, kind="stable")[:MOST]
    return [{"input": names[at], "value": row[at], "contribution": round(float(gains[at]), 6)}
            for at in order if gains[at] > 0]
