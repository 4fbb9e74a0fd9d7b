"""Ingest and prepare in a process of its own that begins with all that it imports: cheap to kill.
"""

from __future__ import annotations

from multiprocessing.process import BaseProcess

from branchline import Lakehouse
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest, prepare
from support.forked import context

__all__ = ["start_taking", "take"]


def take(lakehouse: Lakehouse, settings: Settings) -> None:
    with lakehouse.writing():
        ingest.run(lakehouse, settings)
        prepare.run(lakehouse, settings)


def take_on(server: str, settings: Settings) -> None:
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(server).getOrCreate()
    take(Lakehouse(spark, settings.lakehouse, settings.tables_schema), settings)


def start_taking(server: str, settings: Settings) -> BaseProcess:
    """A process that takes what is new, on a Spark Connect server."""
    process = context().Process(target=take_on, args=(server, settings))
    process.start()
    return process
