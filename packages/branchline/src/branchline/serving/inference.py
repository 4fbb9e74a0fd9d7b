"""The Open Inference Protocol: a model's metadata, and requests and answers of tensors.

Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from branchline.errors import BadInput
from branchline.serving.body import parsed
from branchline.serving.service import Floats, Service
from branchline.serving.settings import Limits
from branchline.serving.values import check_rows, is_list, rows_of_columns, shown

__all__ = ["answer", "metadata"]

INTEGERS = {f"{kind}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)}
NUMBERS = {"FP32", "FP64"} | INTEGERS
LONGEST = 200  # of an id


def metadata(service: Service) -> dict[str, Any]:
    return {"name": service.name, "versions": [service.version], "platform": "sklearn",
            "inputs": [{"name": name, "datatype": "FP64", "shape": [-1]}
                       for name in service.inputs],
            "outputs": [{"name": name, "datatype": kind, "shape": [-1]}
                        for name, kind in service.output_types.items()]}


def answer(body: bytes, service: Service, limits: Limits,
           score: Callable[[Floats], Mapping[str, list[Any]]]) -> tuple[dict[str, Any], int]:
    """The answer to an inference request, and its rows; `score` makes outputs of rows.

    Raises:
        BadInput: the request does not fit the protocol or the model.
    """
    given = parsed(body, limits)
    unknown = given.keys() - {"id", "inputs", "outputs", "parameters"}
    if unknown or "inputs" not in given:
        raise BadInput(f"body: found the keys {shown(', '.join(given))}, expected inputs, and "
                       "perhaps id, outputs, parameters.")
    key = given.get("id")
    if key is not None and not (isinstance(key, str) and len(key) <= LONGEST):
        raise BadInput(f"id: found {shown(key)}, expected a text of at most {LONGEST} characters.")
    wanted = _wanted(given.get("outputs"), service)
    rows = rows_of_columns(_columns(is_list(given["inputs"], "inputs"), service, limits), service)
    named = score(rows)
    found = [{"name": name, "datatype": service.output_types[name], "shape": [len(rows)],
              "data": named[name]} for name in wanted]
    echoed = {} if key is None else {"id": key}
    return {"model_name": service.name, "model_version": service.version, **echoed,
            "outputs": found}, len(rows)


def _wanted(outputs: object, service: Service) -> list[str]:
    names = list(service.output_types)
    if outputs is None:
        return names
    found: list[str] = []
    for each in is_list(outputs, "outputs"):
        name = each.get("name") if isinstance(each, dict) else each
        if not isinstance(name, str) or name not in names:
            raise BadInput(f"outputs: found {shown(name)}, expected objects whose name is one of "
                           f"{', '.join(names)}.")
        found.append(name)
    return found or names


def _columns(inputs: list[Any], service: Service, limits: Limits) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    rows: int | None = None
    for at, tensor in enumerate(inputs):
        if not isinstance(tensor, dict):
            raise BadInput(f"inputs, element {at}: found {shown(tensor)}, expected an object.")
        name = tensor.get("name")
        if not isinstance(name, str) or name not in service.inputs or name in columns:
            raise BadInput(f"inputs, element {at}: found the name {shown(name)}, expected each of "
                           f"{', '.join(service.inputs)} once.")
        columns[name] = _data(tensor, name, limits)
        rows = len(columns[name]) if rows is None else rows
        if len(columns[name]) != rows:
            raise BadInput(f"input {name}: found {len(columns[name])} rows, expected {rows} as in "
                           "the first input.")
    return columns


def _data(tensor: Mapping[str, Any], name: str, limits: Limits) -> list[Any]:
    where = f"input {name}"
    kind, shape = tensor.get("datatype"), tensor.get("shape", [])
    if not isinstance(kind, str) or kind not in NUMBERS:
        raise BadInput(f"{where}: found the datatype {shown(kind)}, expected FP64 (or FP32, or one "
                       "of the integers).")
    if "data" not in tensor:
        raise BadInput(f"{where}: data is missing; expected a list of numbers.")
    data = is_list(tensor["data"], f"{where}, data")
    if not _is_shape(shape):
        raise BadInput(f"{where}: found the shape {shape if _is_short(shape) else shown(shape)}, "
                       "expected [rows] or [rows, 1].")
    check_rows(shape[0], limits, where)
    flat = [value[0] if len(shape) == 2 and isinstance(value, list) and len(value) == 1 else value
            for value in data]
    if len(flat) != shape[0]:
        raise BadInput(f"{where}: found {len(flat)} values, expected {shape[0]} as its shape says.")
    if kind in INTEGERS:
        _check_integers(flat, where, kind)
    return flat


def _is_shape(shape: Any) -> bool:
    return (isinstance(shape, list) and len(shape) in (1, 2)
            and all(type(size) is int and size >= 0 for size in shape) and shape[1:] in ([], [1]))


def _is_short(shape: Any) -> bool:
    return isinstance(shape, list) and len(shape) < 9 and all(
        type(size) is int and abs(size) < 2**63 for size in shape)


def _check_integers(values: list[Any], where: str, kind: str) -> None:
    bits, least = int(kind.lstrip("UINT")), 0
    most = 2**bits - 1
    if kind.startswith("I"):
        least, most = -2**(bits - 1), 2**(bits - 1) - 1
    for at, value in enumerate(values):
        if type(value) is not int or not least <= value <= most:
            raise BadInput(f"{where}, row {at}: found {shown(value)}, expected an integer of type "
                           f"{kind}.")
