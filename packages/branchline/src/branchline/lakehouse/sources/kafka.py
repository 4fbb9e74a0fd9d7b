"""A Kafka topic as a source: appends everything up to its current end in one batch."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, functions as F

from branchline.errors import RowsLost, Unreachable
from branchline.lakehouse.appends import append_once, appends, own_append
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.sources.files import SPARK_TYPES
from branchline.lakehouse.sources.kafka_offsets import Span, spans
from branchline.lakehouse.sources.kafka_read import MESSAGE, read_span
from branchline.lakehouse.sources.layout import Layout
from branchline.lakehouse.sources.source import Taken
from branchline.lakehouse.table import Table

__all__ = ["KAFKA", "KafkaSource"]

KAFKA = "kafka://"
MOST = 200_000  # messages a task
FAILURE = re.compile(r"branchline\.errors\.(?:RowsLost|Unreachable): ([^\n]+)")


@dataclass(frozen=True)
class KafkaSource:
    """The messages of `topic`: JSON objects with the columns of `layout`.

    A message is stored with the file `kafka://TOPIC/PARTITION` and its offset as row number. Key
    and headers are columns of the rows, too (`message_key`, `message_headers`), for tables that
    have them.

    Args:
        client: settings of Kafka's client, which include the password: never shown.
        record_gaps: lost offsets become a row with a problem; otherwise they are an error.
    """

    topic: str
    client: Mapping[str, str] = field(repr=False)
    layout: Layout
    record_gaps: bool = False

    @property
    def address(self) -> str:
        return KAFKA + self.topic

    def append(self, lakehouse: Lakehouse, table: Table) -> Taken:
        """Append the messages up to the topic's current end, all in one commit.

        The commit's own note holds the offsets reached; if the table's log is truncated, they are
        found from the rows.

        Raises:
            BadInput: there is no such topic, or it is not the same topic as before.
            RowsLost: offsets that were never taken are gone from the topic.
            Unreachable: the broker does not answer, or refuses.
        """
        lakehouse.create(table)
        while True:
            before = self._reached(lakehouse, table)
            found = spans(self.topic, self.client, before)
            lost = [span for span in found if span.lost]
            if lost and not self.record_gaps:
                raise RowsLost(f"{self.address}/{lost[0].partition}: {lost[0].lost:,} offsets "
                               f"({lost[0].start} to {lost[0].first - 1}) are gone from the topic "
                               "and were never taken: its retention is shorter than the time "
                               "between two runs. Set `gaps: record` in the Kafka file to go on "
                               "without them.")
            if not found:
                return Taken()
            done = self._take(lakehouse, table, found, before)
            if done:
                return done

    def _reached(self, lakehouse: Lakehouse, table: Table) -> dict[int, int]:
        """By partition, the first offset that has not been taken yet."""
        for append in appends(lakehouse, table, self.address):
            return {int(partition): end
                    for partition, end in json.loads(append.note["ends"]).items()}
        place = F.col("source_file")
        rows = (lakehouse.read(table).where(place.startswith(f"{self.address}/"))
                .groupBy(place).agg(F.max("source_row")).collect())
        return {int(file.rpartition("/")[2]): last + 1 for file, last in rows}

    def _take(self, lakehouse: Lakehouse, table: Table, found: Sequence[Span],
              before: Mapping[int, int]) -> Taken | None:
        """Append the spans; None if a killed run's append from the same offsets came first."""
        ends = {**before, **{span.partition: span.end for span in found}}
        number = sum(before.values()) + 1  # grows; the same for all that begin here
        seen = Observation()
        rows = self._rows(lakehouse, found).observe(seen, F.count("problem").alias("problems"))
        try:
            token = append_once(lakehouse, table, rows, self.address, number,
                                ends=json.dumps(ends))
        except PySparkException as failure:
            said = FAILURE.search(str(failure))
            raise (Unreachable(said[1]) if said else failure) from None
        written = own_append(lakehouse, table, self.address, token)
        if written is None:
            return None
        remarks = tuple(f"{self.address}/{span.partition}: {span.lost:,} offsets are gone, "
                        f"{span.start} to {span.first - 1}" for span in found if span.lost)
        return Taken(written.rows, len(found), int(seen.get["problems"]), remarks)

    def _rows(self, lakehouse: Lakehouse, found: Sequence[Span]) -> DataFrame:
        topic, client, layout = self.topic, dict(self.client), self.layout
        total = sum(span.end - span.first for span in found)
        size = min(MOST, max(ceil(total / (os.cpu_count() or 2)), 1))
        tasks = [part for span in found for part in span.parts(size)]

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for task in batch.column(0).to_pylist():
                    yield from read_span(topic, client, layout, tasks[task])

        types = ", ".join(f"{name} {SPARK_TYPES.get(name, 'STRING')}"
                          for name in (*layout.schema.names, *MESSAGE))
        return (lakehouse.spark.range(0, len(tasks), 1, len(tasks))
                .mapInArrow(read, f"source_file STRING, arrived_at TIMESTAMP, {types}")
                .withColumn("ingested_at", F.current_timestamp()))
