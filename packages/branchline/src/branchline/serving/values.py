"""Values of a request as the rows of numbers that a model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

import numpy as np

from branchline.errors import BadInput
from branchline.serving.service import Floats, Service
from branchline.serving.settings import Limits

__all__ = ["check_rows", "is_list", "number", "repeated", "rows_of_columns", "rows_of_lists",
           "shown"]

SHOWN = 60


def shown(value: object) -> str:
    """The value as an error names it: short, on one line, whatever it is."""
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"{kind} of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**SHOWN:
        return "an integer of more digits than a number may have"
    text = ascii(value[:SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def number(value: object, where: str, missing: bool = False) -> float:
    """The finite number that a JSON value is; NaN for null, if it may be missing.

    Raises:
        BadInput: it is something else; the text begins with `where`.
    """
    if type(value) is float or type(value) is int:
        try:
            if isfinite(value):
                return float(value)
        except OverflowError:
            pass
        raise BadInput(f"{where}: found {shown(value)}, expected a finite number.")
    if value is None and missing:
        return nan
    raise BadInput(f"{where}: found {shown(value)}, expected a number"
                   f"{' or null' if missing else ''}.")


def repeated(names: Sequence[str]) -> str | None:
    """The first name that was there before; None where each is there once."""
    seen = set[str]()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def is_list(value: object, where: str) -> list[Any]:
    """
    Raises:
        BadInput: it is not a list.
    """
    if not isinstance(value, list):
        raise BadInput(f"{where}: found {shown(value)}, expected a list.")
    return value


def check_rows(count: int, limits: Limits, where: str) -> None:
    """
    Raises:
        BadInput: there are none, or too many.
    """
    if not 0 < count <= limits.rows:
        raise BadInput(f"{where}: found {count:,} rows, expected 1 to {limits.rows:,} a request.")


def rows_of_columns(columns: Mapping[str, Sequence[Any]], service: Service) -> Floats:
    """(rows, inputs) from values by input; further columns are passed over, as MLflow does.

    Raises:
        BadInput: an input is missing, or one of its values is no number.
    """
    absent = [name for name in service.inputs if name not in columns]
    if absent:
        raise BadInput(f"input {absent[0]}: is missing; expected {', '.join(service.inputs)}.")
    checked = [[number(value, f"input {name}, row {at}", service.missing)
                for at, value in enumerate(columns[name])] for name in service.inputs]
    return np.array(checked, np.float64).T.copy()


def rows_of_lists(rows: Sequence[Any], service: Service, where: str) -> Floats:
    """(rows, inputs) from rows whose values are in the order of the inputs.

    Raises:
        BadInput: a row is no list, or of another length, or one of its values is no number.
    """
    width = len(service.inputs)
    for at, row in enumerate(rows):
        if len(is_list(row, f"{where}, row {at}")) != width:
            raise BadInput(f"{where}, row {at}: found {len(row)} values, expected {width}: "
                           f"{', '.join(service.inputs)}.")
    return rows_of_columns(dict(zip(service.inputs, zip(*rows, strict=True), strict=True)), service)
