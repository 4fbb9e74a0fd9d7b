"""A run's settings: small frozen values, built once from the entry point's parameters."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from branchline.errors import BadInput
from fraud_detection.data.tables import TRANSACTION_COLUMNS

__all__ = ["Columns", "ON_REQUEST", "SIMULATED", "STEPS", "Settings"]

STEPS = ("ingest", "prepare", "explore", "featurize", "train", "evaluate", "predict", "monitor")
ON_REQUEST = ("compare",)
SIMULATED = "simulated"
DATES = ("test_start", "first_day", "last_day")
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
        reason = ' '.join(str(problem).split())
        raise BadInput(f"{path}: cannot be read as YAML: {reason}.") from None
    if not isinstance(mapping, dict):
        raise BadInput(f"{path}: holds a {type(mapping).__name__}; expected lines like "
                       "`customer_id: NAME_IN_THE_FILES`.")
    return mapping


@dataclass(frozen=True)
class Settings:
    """Everything a run can be told; the MLproject file says what each means.

    Days are UTC calendar days, `label_delay_days` is how long after a transaction its label is
    known, `files` None is beside the tables, `test_start` None is as late as the data allow,
    `model_uri` None is the newest model of the experiment. `first_day` and `last_day` bound what is
    built, scored and compared; None stands for the run's own days. `champion_uri` None is no model
    to compare with, `draws` is how often rows are drawn anew for it.
    """

    steps: tuple[str, ...] = STEPS
    data: str = SIMULATED
    columns: Columns = field(default_factory=Columns)
    lakehouse: str = "./.local/lakehouse"
    schema: str = "sandbox"
    files: str | None = None
    test_start: date | None = None
    train_days: int = 28
    label_delay_days: int = 7
    test_days: int = 7
    model: str = "hist_gradient_boosting"
    features: str = "full"
    class_weight: str = "balanced"
    search: int = 0
    alert_cost: float = 10.0
    seed: int = 0
    model_uri: str | None = None
    champion_uri: str | None = None
    draws: int = 500
    first_day: date | None = None
    last_day: date | None = None

    @property
    def tables_schema(self) -> str:
        """The schema of this run's tables: the branch's; other data have tables of their own."""
        if self.data == SIMULATED:
            return self.schema
        identity = hashlib.sha256(repr((self.data, self.columns)).encode()).hexdigest()[:6]
        stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in Path(self.data).stem)
        return f"{self.schema}__{stem.lower()[:40]}_{identity}"

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Settings:
        """Settings from `--train_days 28 ...`, as the MLproject's command passes them.

        Raises:
            BadInput: an unknown argument, or a value that is not of its kind.
        """
        parser = argparse.ArgumentParser(prog="main.py", exit_on_error=False, allow_abbrev=False)
        for setting in fields(cls):
            parser.add_argument(f"--{setting.name}")
        given, unknown = parser.parse_known_args(list(arguments))
        if unknown:
            raise BadInput(f"argument {unknown[0]} is unknown; expected "
                           f"{', '.join('--' + setting.name for setting in fields(cls))}.")
        texts = {name: text for name, text in vars(given).items() if text not in (None, "")}
        values: dict[str, Any] = {name: _value(name, text) for name, text in texts.items()}
        return cls(**values)


def _value(name: str, text: str) -> object:
    try:
        if name == "steps":
            return _steps(text)
        if name == "columns":
            return Columns.read(Path(text))
        if name in DATES:
            return date.fromisoformat(text)
        if name in ("train_days", "label_delay_days", "test_days", "search", "seed", "draws"):
            return int(text)
        return float(text) if name == "alert_cost" else text
    except ValueError:
        raise BadInput(f"--{name} is {text!r}; expected "
                       f"{'a date (YYYY-MM-DD)' if name in DATES else 'a number'}.") from None


def _steps(text: str) -> tuple[str, ...]:
    chosen = [name.strip() for name in text.split(",")]
    for name in chosen:
        if name not in STEPS + ON_REQUEST:
            raise BadInput(f"step {name!r} is unknown; expected some of "
                           f"{', '.join(STEPS + ON_REQUEST)}.")
    return tuple(name for name in STEPS + ON_REQUEST if name in chosen)
