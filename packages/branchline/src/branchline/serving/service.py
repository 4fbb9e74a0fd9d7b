"""What a project gives the frame to serve: a model's inputs and functions, and raw records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Golden", "Records", "Service"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Golden:
    """Rows of the model's inputs, and what `Service.predict` made of them when it was built."""

    rows: Floats
    predicted: Floats


@dataclass(frozen=True)
class Records:
    """A route that takes raw records: `{NAME: [{...}, ...]}`.

    Args:
        path: the route, such as `/score`.
        name: the list's name, such as `transactions`.
        answer: makes records answers, one each, in order; the second argument is whether the
            answer holds the features. It raises BadInput for a record that cannot be used, and
            PlatformError where what it needs does not answer.
        check: raises PlatformError where it could not answer at present.
        example: a record that works.
    """

    path: str
    name: str
    answer: Callable[[Sequence[Any], bool], list[dict[str, Any]]]
    check: Callable[[], None]
    example: Mapping[str, Any]


@dataclass(frozen=True)
class Service:
    """A model to serve.

    Args:
        inputs: the names of the columns, all of them numbers, in the model's order.
        missing: whether an input may be missing (null), which `predict` gets as NaN.
        predict: (rows, inputs) to what the logged model predicts, one row each.
        outputs: what was predicted as named tensors of one element a row; of type FP64 or BOOL.
        output_types: the names and types of these.
        example: a row that works.
        golden: None where no row was kept with the model.
    """

    name: str
    version: str
    inputs: tuple[str, ...]
    missing: bool
    predict: Callable[[Floats], Floats]
    outputs: Callable[[Floats], dict[str, NDArray[Any]]]
    output_types: Mapping[str, str]
    example: Sequence[float]
    golden: Golden | None = None
    records: Records | None = None
