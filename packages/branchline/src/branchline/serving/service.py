"""What a project gives the frame to serve: a model's inputs and functions, and raw records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from branchline.inference_log import Entry

__all__ = ["Answered", "Asked", "Floats", "Golden", "Records", "Service"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Golden:
    """Rows of the model's inputs, and what `Service.predict` made of them when it was built."""

    rows: Floats
    predicted: Floats


@dataclass(frozen=True)
class Asked:
    """What an answer is asked to hold beside the score."""

    features: bool = False
    reasons: bool = False


@dataclass(frozen=True)
class Answered:
    """A record's answer, as JSON has it, and its row of the inference log."""

    answer: dict[str, Any]
    entry: Entry


@dataclass(frozen=True)
class Records:
    """A route that takes raw records: `{NAME: [{...}, ...]}`.

    Args:
        path: the route, such as `/score`.
        name: the list's name, such as `transactions`.
        answer: makes records answers, one each, in order. It raises BadInput for a record that
            cannot be used, and PlatformError where what it needs does not answer.
        check: raises PlatformError where it could not answer at present.
        example: a record that works.
        store_filled: when the store was last filled, in microseconds since 1970; 0: never.
    """

    path: str
    name: str
    answer: Callable[[Sequence[Any], Asked], list[Answered]]
    check: Callable[[], None]
    example: Mapping[str, Any]
    store_filled: int = 0


@dataclass(frozen=True)
class Service:
    """A model to serve.

    Args:
        inputs: the names of the columns, all of them numbers, in the model's order.
        missing: whether an input may be missing (null), which `predict` gets as NaN.
        predict: (rows, inputs) to what the logged model predicts, one row each.
        outputs: (rows, inputs) and what was predicted for them as named tensors of one element a
            row, as JSON has it. The inference log takes score, is_alert, outcome, guardrails (names
            separated by commas), is_outlier and outlier_score.
        output_types: the names and types of these: FP64, BOOL or BYTES.
        example: a row that works.
        golden: None where no row was kept with the model.
    """

    name: str
    version: str
    inputs: tuple[str, ...]
    missing: bool
    predict: Callable[[Floats], Floats]
    outputs: Callable[[Floats, Floats], dict[str, list[Any]]]
    output_types: Mapping[str, str]
    example: Sequence[float]
    golden: Golden | None = None
    records: Records | None = None
    features_version: str = ""
