"""The names of the columns in landed files: a small mapping in YAML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from branchline.config.yaml_file import YamlMapping, read_yaml
from fraud_detection.tables import TRANSACTION_COLUMNS

__all__ = ["Columns"]

EPOCH_UNITS = ("seconds", "milliseconds")


@dataclass(frozen=True)
class Columns:
    """The name of each column in the files, and the unit of times given as numbers.

    `names` pairs a transaction column with its name in the files; `epoch` is None for times as
    text or timestamps, else "seconds" or "milliseconds" since 1970-01-01 UTC.
    """

    names: tuple[tuple[str, str], ...] = tuple((name, name) for name in TRANSACTION_COLUMNS)
    epoch: str | None = None

    @classmethod
    def read(cls, path: Path) -> Columns:
        """The mapping in a YAML file, such as `event_time: {column: TX_TIME, epoch: seconds}`.

        Raises:
            BadInput: no such file, not a valid mapping, or an unknown column or unit; the text has
                its line.
        """
        mapping = read_yaml(path)
        names = {name: name for name in TRANSACTION_COLUMNS}
        epoch = None
        for name, value in mapping.values.items():
            if name not in names:
                raise mapping.wrong(f"column {name} is unknown; expected some of "
                                    f"{', '.join(TRANSACTION_COLUMNS)}.", name)
            if name == "event_time" and isinstance(value, dict):
                names[name], epoch = _time(mapping.below(name))
            else:
                names[name] = mapping.text(name) if value is not None else ""
        return cls(tuple(names.items()), epoch)


def _time(mapping: YamlMapping) -> tuple[str, str]:
    """The column of the times, and the unit of times given as numbers."""
    for key in mapping.values:
        if key not in ("column", "epoch"):
            raise mapping.wrong(f"event_time has an unknown key {key}; expected column and epoch.",
                                key)
    if mapping.values.get("epoch") not in EPOCH_UNITS:
        raise mapping.unfit("epoch", f"one of {', '.join(EPOCH_UNITS)}")
    if "column" not in mapping.values:
        raise mapping.wrong("event_time lacks column.")
    return mapping.text("column"), mapping.text("epoch")
