"""Step 2: bronze into silver: typed, valid, one row a transaction; the rest with its reason."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from branchline import Lakehouse, RowsLost, Step
from branchline.lakehouse.appends import appends, count_rows
from branchline.lakehouse.stream import checkpoints, follow, forget
from fraud_detection.data.placing import PLACES, Placing
from fraud_detection.data.rejects import commonest
from fraud_detection.data.tables import BRONZE_TRANSACTIONS, QUARANTINE, TRANSACTIONS
from fraud_detection.settings import Settings

__all__ = ["run", "step"]

log = logging.getLogger(__name__)

NAME = "prepare"
REMEDY = "Run the step repair (`-e repair`), after which silver is built anew, and run again."


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Place the bronze rows that are in no silver table yet; counts: the rows of each table.

    Raises:
        RowsLost: silver + quarantine + duplicates is not bronze, or a table of them is gone.
    """
    lakehouse.read(BRONZE_TRANSACTIONS)
    _make_tables(lakehouse)
    through = lakehouse.version(BRONZE_TRANSACTIONS)
    counts = count_rows(lakehouse, BRONZE_TRANSACTIONS, *PLACES)
    name, start = _stream(lakehouse, through, counts)
    if start <= through or counts[0] != sum(counts[1:]) and name in _streams(lakehouse):
        before = lakehouse.version(QUARANTINE)
        _follow(lakehouse, name, through, settings.columns.epoch)
        counts, rejected = count_rows(lakehouse, BRONZE_TRANSACTIONS, *PLACES), counts[2]
        if counts[2] > rejected:
            for line in commonest(lakehouse, before, settings.columns.epoch):
                log.warning("%s", line)
    return _balanced(*counts)


def _make_tables(lakehouse: Lakehouse) -> None:
    """Create what is not there; all may be gone, and are then filled anew, but not some alone."""
    there = [table for table in PLACES if lakehouse.exists(table)]
    gone = [table.name for table in PLACES if table not in there]
    if not there:
        for name in _streams(lakehouse):
            forget(lakehouse, name)
    elif gone and any(count_rows(lakehouse, *there)):
        raise RowsLost(f"table {', '.join(gone)} is gone, but rows had been placed in it. {REMEDY}")
    for table in PLACES:
        lakehouse.create(table)


def _streams(lakehouse: Lakehouse) -> list[str]:
    return checkpoints(lakehouse, NAME)


def _stream(lakehouse: Lakehouse, through: int, counts: list[int]) -> tuple[str, int]:
    """The stream that fills silver, and the bronze version that it has yet to place first.

    A stream is named by the version it began with. Where its checkpoint is lost, the next begins
    behind the version that silver's log says was placed.
    """
    known = _streams(lakehouse)
    last = next((append for append in appends(lakehouse, TRANSACTIONS)
                 if append.note["writer"].startswith(f"{NAME}-")), None)
    if last is None and known:
        return known[-1], 0
    if last is None:
        start = through + 1 if any(counts[1:]) else 0  # placed by an older version, all of it
        return f"{NAME}-{start}", start
    start = int(last.note["through"]) + 1
    name = str(last.note["writer"])
    return (name, start) if name in known else (f"{NAME}-{start}", start)


def _follow(lakehouse: Lakehouse, name: str, through: int, epoch: str | None) -> None:
    start = int(name.rpartition("-")[2])
    try:
        follow(lakehouse, BRONZE_TRANSACTIONS, name, start,
               _placer(lakehouse, name, through, epoch))
    except PySparkException as failure:
        if "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE" in str(failure):
            raise RowsLost(f"table {BRONZE_TRANSACTIONS.name} is another one than silver was "
                           f"filled from. {REMEDY}") from None
        raise


def _placer(lakehouse: Lakehouse, name: str, through: int,
            epoch: str | None) -> Callable[[DataFrame, int], None]:
    """What a batch is handed to; it holds no session, for Spark Connect sends it to the server."""
    place = (lakehouse.root, lakehouse.schema, lakehouse.files)

    def placed(batch: DataFrame, number: int) -> None:
        there = Lakehouse(batch.sparkSession, *place)
        Placing(there, name, through, epoch).place(batch, number)

    return placed


def _balanced(bronze: int, silver: int, quarantine: int, duplicates: int) -> dict[str, int]:
    if silver + quarantine + duplicates != bronze:
        raise RowsLost(f"prepare: bronze has {bronze} rows, but silver + quarantine + duplicates "
                       f"are {silver} + {quarantine} + {duplicates}; do not use these tables. "
                       f"{REMEDY}")
    return {"rows": bronze, "silver": silver, "quarantine": quarantine, "duplicates": duplicates}


step = Step("prepare", run, reads=(BRONZE_TRANSACTIONS,), writes=PLACES)
