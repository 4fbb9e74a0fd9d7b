"""Where landed files keep each column: a small mapping in YAML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from branchline import BadInput
from branchline.text import collapsed
from fraud_detection.tables import TRANSACTION_COLUMNS

__all__ = ["Columns"]

EPOCH_UNITS = ("seconds", "milliseconds")


@dataclass(frozen=True)
class Columns:
    """Where the files keep each column, and in which unit times are counted, if they are.

    `names` pairs a transaction column with its name in the files; `epoch` is None for times as
    text or timestamps, else "seconds" or "milliseconds" since 1970-01-01 UTC.
    """

    names: tuple[tuple[str, str], ...] = tuple((name, name) for name in TRANSACTION_COLUMNS)
    epoch: str | None = None

    @classmethod
    def read(cls, path: Path) -> Columns:
        """The mapping in a YAML file, such as `event_time: {column: TX_TIME, epoch: seconds}`.

        Raises:
            BadInput: no such file, not such a mapping, or an unknown column or unit.
        """
        mapping = _mapping(path)
        names = {name: name for name in TRANSACTION_COLUMNS}
        epoch = None
        for name, value in mapping.items():
            if name not in names:
                raise BadInput(f"{path}: column {name} is unknown; expected some of "
                               f"{', '.join(TRANSACTION_COLUMNS)}.")
            if name == "event_time" and isinstance(value, dict):
                epoch = value.get("epoch")
                value = value.get("column")
                if epoch not in EPOCH_UNITS:
                    raise BadInput(f"{path}: event_time.epoch is {epoch!r}; expected one of "
                                   f"{', '.join(EPOCH_UNITS)}.")
            if value is not None and not isinstance(value, str):
                raise BadInput(f"{path}: column {name} is {value!r}; expected the column's name "
                               "in the files.")
            names[name] = value or ""
        return cls(tuple(names.items()), epoch)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        mapping = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        reason = collapsed(problem)
        raise BadInput(f"{path}: cannot be read as YAML: {reason}.") from None
    if not isinstance(mapping, dict):
        raise BadInput(f"{path}: holds a {type(mapping).__name__}; expected lines like "
                       "`customer_id: NAME_IN_THE_FILES`.")
    return mapping
