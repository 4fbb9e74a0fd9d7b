"""The body of MLflow's `/invocations`: its four JSON forms, and CSV.

Source: MLflow, "Local inference server: accepted request formats".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from branchline.errors import BadInput
from branchline.serving.body import parsed
from branchline.serving.service import Floats, Service
from branchline.serving.settings import Limits
from branchline.serving.values import (check_rows, is_list, repeated, rows_of_columns,
                                       rows_of_lists, shown)

__all__ = ["rows_of_csv", "rows_of_json"]

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def rows_of_json(body: bytes, service: Service, limits: Limits) -> Floats:
    """
    Raises:
        BadInput: the body is none of the four forms, or does not fit the model's inputs.
    """
    given = parsed(body, limits)
    forms = [name for name in FORMS if name in given]
    if len(forms) != 1 or given.keys() - {*forms, "params"}:
        raise BadInput(f"body: found the keys {shown(', '.join(given))}, expected one of "
                       f"{', '.join(FORMS)}.")
    if given.get("params"):
        raise BadInput(f"params: found {shown(given['params'])}, expected none: the model has no "
                       "parameters.")
    content, form = given[forms[0]], forms[0]
    if form == "dataframe_split":
        return _split(content, service, limits)
    if form == "inputs" and isinstance(content, dict):
        return _by_column(content, service, limits)
    rows = is_list(content, form)
    check_rows(len(rows), limits, form)
    if form == "dataframe_records" or isinstance(rows[0], dict):
        return _records(rows, service, form)
    return rows_of_lists(rows, service, form)


def _split(content: object, service: Service, limits: Limits) -> Floats:
    form = "dataframe_split"
    if not isinstance(content, dict) or not {"columns", "data"} <= content.keys() <= {
            "columns", "data", "index"}:
        raise BadInput(f"{form}: found {shown(content)}, expected an object with columns and data.")
    columns = is_list(content["columns"], f"{form}.columns")
    rows = is_list(content["data"], f"{form}.data")
    check_rows(len(rows), limits, f"{form}.data")
    _check_names(columns, f"{form}.columns")
    for at, row in enumerate(rows):
        if len(is_list(row, f"{form}.data, row {at}")) != len(columns):
            raise BadInput(f"{form}.data, row {at}: found {len(row)} values, expected "
                           f"{len(columns)}, one a column.")
    return rows_of_columns(dict(zip(columns, zip(*rows, strict=True), strict=True)), service)


def _check_names(names: Sequence[Any], where: str) -> None:
    for name in names:
        if not isinstance(name, str):
            raise BadInput(f"{where}: found {shown(name)}, expected names.")
    twice = repeated(names)
    if twice is not None:
        raise BadInput(f"{where}: found {shown(twice)} twice, expected each name once.")


def _records(rows: Sequence[Any], service: Service, form: str) -> Floats:
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            raise BadInput(f"{form}, row {at}: found {shown(row)}, expected an object.")
        absent = [name for name in service.inputs if name not in row]
        if absent:
            raise BadInput(f"{form}, row {at}: input {absent[0]} is missing; expected "
                           f"{', '.join(service.inputs)}.")
    return rows_of_columns({name: [row[name] for row in rows] for name in service.inputs}, service)


def _by_column(content: Mapping[str, Any], service: Service, limits: Limits) -> Floats:
    columns = {name: [value[0] if isinstance(value, list) and len(value) == 1 else value
                      for value in is_list(content[name], f"inputs.{name}")]
               for name in service.inputs if name in content}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise BadInput(f"inputs: found columns of {min(lengths)} to {max(lengths)} values, "
                       "expected as many in each.")
    check_rows(max(lengths, default=0) if columns else 1, limits, "inputs")
    return rows_of_columns(columns, service)


def rows_of_csv(body: bytes, service: Service, limits: Limits) -> Floats:
    """
    Raises:
        BadInput: the body is no CSV with a header, or does not fit the model's inputs.
    """
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as problem:
        raise BadInput(f"body: byte {problem.start} is not UTF-8; expected that."
                       ) from None
    except csv.Error as problem:
        raise BadInput(f"body: is not CSV: {problem}.") from None
    lines = [line for line in lines if line]
    if not lines:
        raise BadInput("body: is empty, expected CSV with a header of the inputs' names.")
    header, rows = lines[0], lines[1:]
    _check_names(header, "CSV header")
    check_rows(len(rows), limits, "CSV")
    for at, row in enumerate(rows):
        if len(row) != len(header):
            raise BadInput(f"CSV, row {at}: found {len(row)} values, expected {len(header)}.")
    return rows_of_columns({name: [_cell(text) for text in column]
                            for name, column in zip(header, zip(*rows, strict=True), strict=True)},
                           service)


def _cell(text: str) -> float | str | None:
    """What a cell says: a number, nothing, or a text that is no number."""
    text = text.strip(" \t")
    return float(text) if NUMBER.fullmatch(text) else text or None
