"""Streams a Delta table's new rows, passing each batch to a function."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["checkpoint", "checkpoints", "follow", "forget"]


def checkpoint(lakehouse: Lakehouse, stream: str) -> Path:
    """The folder that holds a stream's progress."""
    return Path(lakehouse.area("checkpoints"), stream)


def checkpoints(lakehouse: Lakehouse, stem: str) -> list[str]:
    """The streams named `stem-NUMBER` that have a checkpoint, by number."""
    found = checkpoint(lakehouse, stem).parent.glob(f"{stem}-*")
    return sorted((folder.name for folder in found), key=lambda name: int(name.rpartition("-")[2]))


def forget(lakehouse: Lakehouse, stream: str) -> None:
    """Delete the stream's checkpoint."""
    shutil.rmtree(checkpoint(lakehouse, stream), ignore_errors=True)


def follow(lakehouse: Lakehouse, table: Table, stream: str, start: int,
           handle: Callable[[DataFrame, int], None]) -> None:
    """Pass the rows added since the stream's last call to `handle`, and stop.

    A new stream begins with the table's version `start`. `handle` is called with a batch and its
    number; after an interrupted run, with the same batch again. On Spark Connect it runs on
    the server: it must not hold a session.
    """
    query = (lakehouse.stream(table, start).writeStream.foreachBatch(handle)
             .option("checkpointLocation", str(checkpoint(lakehouse, stream)))
             .trigger(availableNow=True).start())
    query.awaitTermination()
