"""Step 1: new files or messages into bronze.transactions, exactly once."""

from __future__ import annotations

import logging
from pathlib import Path

from branchline import Lakehouse, Step
from branchline.lakehouse.clones import base_of
from branchline.lakehouse.sources import FILES
from fraud_detection.data import simulator, world
from fraud_detection.data.landing import source_of
from fraud_detection.settings import SIMULATED, DataSettings
from fraud_detection.tables import BRONZE_TRANSACTIONS

__all__ = ["run", "step"]

log = logging.getLogger(__name__)


def run(lakehouse: Lakehouse, settings: DataSettings) -> dict[str, int]:
    """Take the new files, or a topic's new messages; returns counts of what was taken.

    Counts: `rows`; `files`, or the topic's partitions; `unreadable` among the rows.

    Raises:
        BadInput: a file lacks a required column; then no file of the batch is taken.
        RowsLost: messages that were never taken are gone from the topic.
    """
    source = source_of(_landing(lakehouse, settings), settings.columns, settings.kafka)
    taken = source.append(lakehouse, BRONZE_TRANSACTIONS)
    for remark in taken.remarks:
        log.warning("%s", remark)
    return {"rows": taken.rows, "files": taken.units, "unreadable": taken.problems}


def _landing(lakehouse: Lakehouse, settings: DataSettings) -> str:
    """The folder or file to take; simulated transactions are generated first.

    Tables that began as another branch's hold that branch's simulated transactions.
    """
    if settings.data != SIMULATED:
        return settings.data
    if base := base_of(lakehouse):
        return Lakehouse(lakehouse.spark, lakehouse.root, base.schema, lakehouse.files).area(
            "landing")
    folder = Path(lakehouse.area("landing"))
    simulator.write(world.World(), folder)
    return str(folder)


step = Step("ingest", run, writes=(BRONZE_TRANSACTIONS, FILES))
