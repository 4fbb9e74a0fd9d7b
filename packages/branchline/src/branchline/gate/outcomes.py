"""What became of a pipeline's results, by two kinds of units: one Parquet file per run."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput
from branchline.gate.comparison import Data
from branchline.records import Format

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ARTIFACT", "Kpi", "Outcomes"]

ARTIFACT = "gate/outcomes.parquet"
FORMAT = Format("outcomes", 1)
KEY = b"branchline"  # of the file's own metadata


@dataclass(frozen=True)
class Kpi:
    """A ratio of two sums over all rows, or one sum; each is a column or a constant."""

    numerator: str
    denominator: str | None = None

    def of(self, sums: Mapping[str, Any]) -> Any:
        """The value for sums by name: numbers, or arrays of one shape."""
        above = sums[self.numerator]
        return above if self.denominator is None else above / sums[self.denominator]


@dataclass(frozen=True)
class Outcomes:
    """What the gate needs of one version's results.

    Args:
        rows: two columns that name units, such as terminals and days, and additive numbers. A unit
            without outcomes has a row of zeros: it counts in the resampling.
        units: the names of the two columns; what is resampled first, such as terminals, is first.
        kpis: the KPIs by name.
        inputs: the tables that the results were made from, each as `schema@version`.
        constants: numbers for the KPIs that are not sums, such as the number of days.
        data: facts on the rows of the input.
    """

    rows: pa.Table
    units: tuple[str, str]
    kpis: Mapping[str, Kpi]
    inputs: Mapping[str, str]
    constants: Mapping[str, float] = field(default_factory=dict)
    data: Data | None = None

    def to_parquet(self) -> bytes:
        """The rows as a Parquet file, with all the rest in its metadata."""
        import pyarrow.parquet as pq
        about = FORMAT.written({
            "units": self.units, "inputs": dict(self.inputs), "constants": dict(self.constants),
            "kpis": {name: [each.numerator, each.denominator] for name, each in self.kpis.items()},
            "data": _written(self.data)})
        file = io.BytesIO()
        pq.write_table(self.rows.replace_schema_metadata({KEY: json.dumps(about)}), file)
        return file.getvalue()

    def log(self) -> None:
        """Log the file as the active run's artifact."""
        import mlflow
        with tempfile.TemporaryDirectory(prefix="branchline-outcomes-") as scratch:
            file = Path(scratch, Path(ARTIFACT).name)
            file.write_bytes(self.to_parquet())
            mlflow.log_artifact(str(file), Path(ARTIFACT).parent.name)

    @classmethod
    def from_parquet(cls, content: bytes) -> Outcomes:
        """Parses the file that `to_parquet` made.

        Raises:
            BadInput: it is not such a file, or has a newer format.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq
        try:
            rows = pq.read_table(io.BytesIO(content))
            given = FORMAT.read(json.loads((rows.schema.metadata or {})[KEY]), ARTIFACT)
            first, second = given["units"]
            return cls(rows, (first, second),
                       {name: Kpi(*each) for name, each in given["kpis"].items()},
                       given["inputs"], given["constants"], _read(given["data"]))
        except (pa.ArrowException, ValueError, TypeError, KeyError) as problem:
            raise BadInput(f"{ARTIFACT}: is not a file of outcomes ({type(problem).__name__}: "
                           f"{problem}); expected what the project's measuring step logs."
                           ) from None


def _written(data: Data | None) -> dict[str, Any] | None:
    if data is None:
        return None
    times = {name: each.isoformat() if each else None for name, each in (
        ("last_event", data.last_event), ("last_ingest", data.last_ingest))}
    return {"rows": data.rows, "positives": data.positives, **times}


def _read(given: Mapping[str, Any] | None) -> Data | None:
    if given is None:
        return None
    times = (datetime.fromisoformat(given[name]) if given[name] else None
             for name in ("last_event", "last_ingest"))
    return Data(given["rows"], given["positives"], *times)
