"""Reads windows of the inference log: its columns in bins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from branchline.monitoring.summary import Summary, summary

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["KEY", "Edges", "Key", "in_windows", "summaries"]

KEY = ("start", "model_version", "slice")
PARTS = pa.schema([
    ("start", pa.int64()), ("model_version", pa.string()), ("slice", pa.string()),
    ("name", pa.string()), ("rows", pa.int64()), ("missing", pa.int64()), ("total", pa.float64()),
    ("squares", pa.float64()), ("least", pa.float64()), ("most", pa.float64()),
    ("bins", pa.list_(pa.int64()))])
GIVEN = ("score", "outlier_score")  # columns of the log itself
# The bins of each column of each model version: their upper edges, without the last.
Edges = Mapping[str, Mapping[str, Sequence[float]]]


class Key(NamedTuple):
    """A window's first second since 1970, the model version, and the slice of the rows."""

    start: int
    model_version: str
    slice: str


def in_windows(log: DataFrame, seconds: int, slices: Sequence[str] = ()) -> DataFrame:
    """The log with the windows' `start`, and each row once for all and once for each slice.

    A row belongs to when its event happened, or when it was scored where that is not known.
    """
    at = F.unix_seconds(F.coalesce("event_time", "time"))
    parts = [F.lit(""), *(F.concat(F.lit(f"{name}="), F.col(name).cast("string"))
                          for name in slices)]
    return (log.withColumn("start", (F.floor(at / seconds) * seconds).cast("bigint"))
            .withColumn("slice", F.explode(F.array(*parts))).where("slice IS NOT NULL"))


def summaries(rows: DataFrame, edges: Edges) -> dict[Key, dict[str, Summary]]:
    """The columns of each window, of the model versions that `edges` knows."""
    def summarize(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_pylist(list(_parts(batch, edges)), PARTS)

    found = (rows.where(F.col("model_version").isin(list(edges)) & F.col("inputs").isNotNull())
             .select(*KEY, "inputs", *GIVEN)
             .mapInArrow(summarize, from_arrow_schema(PARTS)).toArrow().to_pylist())
    gathered: dict[Key, dict[str, list[Summary]]] = {}
    for row in found:
        key = Key(row.pop("start"), row.pop("model_version"), row.pop("slice"))
        name, bins = row.pop("name"), tuple(row.pop("bins"))
        gathered.setdefault(key, {}).setdefault(name, []).append(Summary(**row, bins=bins))
    return {key: {name: reduce(add, parts) for name, parts in columns.items()}
            for key, columns in gathered.items()}


def _parts(batch: pa.RecordBatch, edges: Edges) -> Iterator[dict[str, Any]]:
    """The summaries of each window in a batch, a column a row."""
    table = pa.Table.from_batches([batch])
    groups = table.select(list(KEY)).to_pylist()
    places: dict[Key, list[int]] = {}
    for at, group in enumerate(groups):
        places.setdefault(Key(**group), []).append(at)
    for key, rows in places.items():
        some = table.take(rows)
        inputs = [json.loads(text) for text in some["inputs"].to_pylist()]
        for name, cuts in edges[key.model_version].items():
            values = (some[name].to_numpy() if name in GIVEN else
                      np.array([each.get(name) for each in inputs]))
            floats = values.astype(np.float64)  # None becomes NaN
            yield {**key._asdict(), "name": name, **_record(summary(floats, cuts))}


def _record(found: Summary) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Summary.__dataclass_fields__}
