"""Step 2: bronze into silver: typed, valid, one row per transaction; rejects keep their reason."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from branchline import Lakehouse, RowsLost, Step
from branchline.lakehouse.appends import appends, count_rows
from branchline.lakehouse.clones import base_of
from branchline.lakehouse.stream import checkpoints, follow, forget
from fraud_detection.data.bronze_to_silver import PLACES, Placing
from fraud_detection.data.moves import finish_move
from fraud_detection.data.recount import Recount
from fraud_detection.data.rejects import commonest
from fraud_detection.settings import DataSettings
from fraud_detection.tables import BRONZE_TRANSACTIONS, QUARANTINE, TRANSACTIONS

__all__ = ["run", "step"]

log = logging.getLogger(__name__)

NAME = "prepare"
REMEDY = "Run the step repair (`-e repair`), then run again: silver is rebuilt."


def run(lakehouse: Lakehouse, settings: DataSettings) -> dict[str, int]:
    """Place the bronze rows that are in no silver table yet; counts: the rows of each table.

    With `verify`, every row is read, counted and looked up.

    Raises:
        RowsLost: silver + quarantine + duplicates differ from bronze, or one of them is gone.
    """
    lakehouse.read(BRONZE_TRANSACTIONS)
    are_new = _make_tables(lakehouse)
    through = lakehouse.version(BRONZE_TRANSACTIONS)
    name, start = (f"{NAME}-0", 0) if are_new else _stream(lakehouse, through)
    counts = _counts(lakehouse) if start > through else []
    if not counts or _is_cut_off(lakehouse, name, counts):
        _place(lakehouse, name, through, settings.columns.epoch)
        counts = _counts(lakehouse)
    if counts[0] != sum(counts[1:]) and finish_move(lakehouse):
        counts = _counts(lakehouse)
    if settings.verify == "true":
        counts = _verified(lakehouse, counts)
    return _balanced(*counts)


def _counts(lakehouse: Lakehouse) -> list[int]:
    return count_rows(lakehouse, BRONZE_TRANSACTIONS, *PLACES)


def _is_cut_off(lakehouse: Lakehouse, name: str, counts: list[int]) -> bool:
    """Whether the stream's last batch is in silver, but incomplete in the other two tables."""
    return counts[0] != sum(counts[1:]) and name in _streams(lakehouse)


def _place(lakehouse: Lakehouse, name: str, through: int, epoch: str | None) -> None:
    """Let the stream place the new rows, and report what went to quarantine."""
    before = lakehouse.version(QUARANTINE)
    _follow(lakehouse, name, through, epoch)
    if lakehouse.version(QUARANTINE) > before:
        for line in commonest(lakehouse, before, epoch):
            log.warning("%s", line)


def _make_tables(lakehouse: Lakehouse) -> bool:
    """Create the missing tables; returns whether all were missing. Raises if only some are."""
    there = [table for table in PLACES if lakehouse.exists(table)]
    gone = [table.name for table in PLACES if table not in there]
    if not there:
        for name in _streams(lakehouse):
            forget(lakehouse, name)
    elif gone and any(count_rows(lakehouse, *there)):
        raise RowsLost(f"table {', '.join(gone)} is gone, but rows had been placed in it. {REMEDY}")
    for table in PLACES:
        lakehouse.create(table)
    return not there


def _streams(lakehouse: Lakehouse) -> list[str]:
    return checkpoints(lakehouse, NAME)


def _stream(lakehouse: Lakehouse, through: int) -> tuple[str, int]:
    """The stream that fills silver, and the first bronze version that it has not placed yet.

    A stream is named after its first version. If its checkpoint is lost, the next stream begins
    after the last version that silver's log says was placed.
    """
    known = _streams(lakehouse)
    last = next((append for append in appends(lakehouse, TRANSACTIONS)
                 if append.note["writer"].startswith(f"{NAME}-")), None)
    if last is None and known:
        return known[-1], 0
    if last is None:
        # Placed completely by an older version, or on main before the tables were cloned.
        placed_before = any(count_rows(lakehouse, *PLACES))
        start = (1 if base_of(lakehouse) else through + 1) if placed_before else 0
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
            raise RowsLost(f"table {BRONZE_TRANSACTIONS.name} is not the table that silver was "
                           f"filled from. {REMEDY}") from None
        raise


def _placer(lakehouse: Lakehouse, name: str, through: int,
            epoch: str | None) -> Callable[[DataFrame, int], None]:
    """The function for a batch; it has no session, because Spark Connect sends it to the server."""
    address = (lakehouse.root, lakehouse.schema, lakehouse.files)

    def placed(batch: DataFrame, number: int) -> None:
        there = Lakehouse(batch.sparkSession, *address)
        Placing(there, name, through, epoch).place(batch, number)

    return placed


def _verified(lakehouse: Lakehouse, counts: list[int]) -> list[int]:
    recount = Recount.of(lakehouse)
    if findings := recount.findings(counts):
        raise RowsLost(f"prepare: verify found that {'; '.join(findings)}; do not use these "
                       f"tables. {REMEDY}")
    return recount.rows


def _balanced(bronze: int, silver: int, quarantine: int, duplicates: int) -> dict[str, int]:
    if silver + quarantine + duplicates != bronze:
        raise RowsLost(f"prepare: bronze has {bronze} rows, but silver + quarantine + duplicates "
                       f"are {silver} + {quarantine} + {duplicates}; do not use these tables. "
                       f"{REMEDY}")
    return {"rows": bronze, "silver": silver, "quarantine": quarantine, "duplicates": duplicates}


step = Step("prepare", run, reads=(BRONZE_TRANSACTIONS,), writes=PLACES, skippable=True)
