"""The body of a request for raw records: the records, and what the answers should hold."""

from __future__ import annotations

from typing import Any

from branchline.errors import BadInput
from branchline.serving.body import parsed
from branchline.serving.service import Asked, Records
from branchline.serving.settings import Limits
from branchline.serving.values import check_rows, is_list, shown

__all__ = ["asked_of"]

OPTIONS = ("features", "reasons")


def asked_of(body: bytes, records: Records, limits: Limits) -> tuple[list[Any], Asked]:
    """
    Raises:
        BadInput: the body has other keys, no record, or too many.
    """
    given = parsed(body, limits)
    if not {records.name} <= given.keys() <= {records.name, *OPTIONS}:
        raise BadInput(f"body: found the keys {shown(', '.join(given))}, expected {records.name} "
                       f"and perhaps {', '.join(OPTIONS)}.")
    for name in OPTIONS:
        if not isinstance(given.get(name, False), bool):
            raise BadInput(f"{name}: found {shown(given[name])}, expected true or false.")
    listed = is_list(given[records.name], records.name)
    check_rows(len(listed), limits, records.name)
    return listed, Asked(given.get("features", False), given.get("reasons", False))
