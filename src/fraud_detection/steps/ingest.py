"""Step 1: the files of the landing folder into bronze.transactions, each exactly once."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, functions as F

from branchline import BadInput, Lakehouse, Step
from fraud_detection.data import simulator
from fraud_detection.data.landing import SCHEMA, read_landed
from fraud_detection.data.tables import BRONZE_TRANSACTIONS
from fraud_detection.settings import SIMULATED, Columns, Settings

__all__ = ["landed_rows", "run", "step"]

log = logging.getLogger(__name__)

ROWS = "source_file STRING, arrived_at TIMESTAMP, source_row BIGINT, " + ", ".join(
    f"{name} STRING" for name in SCHEMA.names[1:])


def landed_rows(files: DataFrame, columns: Columns) -> DataFrame:
    """Every row of `files` (path, modificationTime, content) as text, with file and arrival."""

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for path, arrived, content in zip(*batch.columns, strict=True):
                file = unquote(path.as_py())
                for rows in read_landed(file, content.as_py(), columns):
                    yield _with_source(file, arrived, rows)

    return (files.select("path", "modificationTime", "content").mapInArrow(parse, ROWS)
            .withColumn("ingested_at", F.current_timestamp()))


def _with_source(file: str, arrived: pa.Scalar, rows: pa.RecordBatch) -> pa.RecordBatch:
    source = [pa.array([file] * len(rows), pa.string()),
              pa.array([arrived.value] * len(rows), pa.int64()).cast(arrived.type)]
    return pa.RecordBatch.from_arrays([*source, *rows.columns],
                                      names=["source_file", "arrived_at", *SCHEMA.names])


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Take the files that are new; counts: `rows` and `files` taken now, `unreadable` among them.

    Raises:
        BadInput: a file lacks a required column; then no file of the batch is taken.
    """
    lakehouse.create(BRONZE_TRANSACTIONS)
    before = lakehouse.version(BRONZE_TRANSACTIONS)
    rows = landed_rows(lakehouse.new_files(_landing(lakehouse, settings)), settings.columns)
    try:
        lakehouse.append_stream(BRONZE_TRANSACTIONS, rows, checkpoint="ingest")
    except PySparkException as failure:
        raise _bad_input(failure) or failure from None
    return _counts(lakehouse, before)


def _landing(lakehouse: Lakehouse, settings: Settings) -> str:
    """The folder or file to take; simulated transactions are made first."""
    if settings.data != SIMULATED:
        return settings.data
    folder = Path(lakehouse.area("landing"))
    simulator.write(simulator.World(), folder)
    return str(folder)


def _bad_input(failure: PySparkException) -> BadInput | None:
    """The BadInput that a worker raised; Spark hands it on as the last line of a traceback."""
    found = re.search(rf"{BadInput.__module__}\.BadInput: (.*)", str(failure))
    return BadInput(found[1]) if found else None


def _counts(lakehouse: Lakehouse, before: int) -> dict[str, int]:
    then = lakehouse.read(BRONZE_TRANSACTIONS, before)
    files = (lakehouse.read(BRONZE_TRANSACTIONS).groupBy("source_file", "ignored_columns")
             .agg(F.count("*").alias("rows"), F.count("problem").alias("unreadable"))
             .join(then.select("source_file").distinct(), "source_file", "left_anti").collect())
    ignored = {name for file in files if file["ignored_columns"]
               for name in file["ignored_columns"].split(", ")}
    if ignored:
        log.warning("kept out: column %s", ", ".join(sorted(ignored)))
    return {"rows": sum(file["rows"] for file in files),
            "files": len({file["source_file"] for file in files}),
            "unreadable": sum(file["unreadable"] for file in files)}


step = Step("ingest", run, writes=(BRONZE_TRANSACTIONS,))
