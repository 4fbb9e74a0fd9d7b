"""A candidate and a champion measured on the same rows: one JSON file per run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from branchline.errors import BadInput
from branchline.records import Format

__all__ = ["ARTIFACT", "FEWEST_UNITS", "GUARDRAILS", "OTHER_LIBRARIES", "Comparison", "Data",
           "Measured", "Model", "Slice"]

ARTIFACT = "gate/comparison.json"
OTHER_LIBRARIES = "other_libraries"  # the key of a note
GUARDRAILS = "guardrails"  # the key of a note: the rows for which each rule fired
FORMAT = Format("comparison", 1)
FEWEST_UNITS = 5  # with fewer, an error is too uncertain to judge a difference


@dataclass(frozen=True)
class Measured:
    """A metric of both on the same rows; None is unknown.

    `standard_error` is that of candidate minus champion, None where both values are exact; `units`
    is how many units of equal influence would be as certain, None for many.
    """

    name: str
    candidate: float | None
    champion: float | None = None
    standard_error: float | None = None
    units: float | None = None


@dataclass(frozen=True)
class Slice:
    """A part of the rows, such as kind `amount`, value `25 to 50`, and a metric on it."""

    kind: str
    value: str
    rows: int
    positives: int
    measured: Measured


@dataclass(frozen=True)
class Model:
    """A candidate or a champion; `problem` says why it could not be used."""

    uri: str
    version: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Data:
    """The rows that were scored, and how new the data are: last event, last arrival (UTC)."""

    rows: int
    positives: int
    last_event: datetime | None = None
    last_ingest: datetime | None = None


@dataclass(frozen=True)
class Comparison:
    """All that the gate needs; `champion` None: none yet; `notes` say how it was made."""

    candidate: Model
    champion: Model | None
    measures: tuple[Measured, ...]
    slices: tuple[Slice, ...] = ()
    data: Data | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Readable JSON; a number that is not finite becomes null."""
        content = FORMAT.written(_plain(asdict(self)))
        return json.dumps(content, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Parses the text that `to_json` made.

        Raises:
            BadInput: the text is not a comparison, or has a newer format.
        """
        try:
            given = FORMAT.read(json.loads(text), ARTIFACT)
            return cls(
                Model(**given["candidate"]),
                Model(**given["champion"]) if given["champion"] else None,
                tuple(Measured(**each) for each in given["measures"]),
                tuple(Slice(**{**each, "measured": Measured(**each["measured"])})
                      for each in given["slices"]),
                _data(given["data"]), given["notes"])
        except (AttributeError, ValueError, TypeError, KeyError) as problem:
            raise BadInput(f"{ARTIFACT}: is not a comparison ({type(problem).__name__}: {problem})"
                           "; expected what the project's compare step logs.") from None


def _data(given: Mapping[str, Any] | None) -> Data | None:
    if given is None:
        return None
    times = {name: datetime.fromisoformat(given[name]) if given[name] else None
             for name in ("last_event", "last_ingest")}
    return Data(given["rows"], given["positives"], **times)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, datetime) else value
