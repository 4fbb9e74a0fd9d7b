"""Runs the two queries of a live project: scores to a topic at once, and that topic to a table."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput, RowsLost, RunFailed
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.stream import checkpoint
from branchline.signals import deferred
from branchline.streaming.followed import followed
from branchline.streaming.on_spark.kept import Kept
from branchline.streaming.on_spark.models import RecordedModels
from branchline.streaming.on_spark.scored import Scored, open_producer
from branchline.streaming.on_spark.source import read_topics
from branchline.streaming.progress import Progress
from branchline.streaming.scorer import Scorer
from branchline.streaming.topics import Topics
from branchline.text import one_line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

__all__ = ["Live", "score_live"]

TICK_SECONDS = 0.2
REPEATED = 'the return value of "scala.Option.get()" is null'
GONE = ("data may have been missed", "KAFKA_DATA_LOSS", "failOnDataLoss")


@dataclass(frozen=True)
class Live:
    """Where a live run reads, and where it writes.

    Args:
        lakehouse: the branch's tables; the queries' progress is beside them.
        table: the table of scores.
        topics: of events, labels, scores and the log, and Kafka's settings.
        gaps: "fail" or "record"; what to do if offsets are lost before they were read.
        most: the number of messages in one batch.
        keep_seconds: between two appends to the table.
        once: take what the topics have now, and end.
    """

    lakehouse: Lakehouse
    table: Table
    topics: Topics
    gaps: str = "fail"
    most: int = 50_000
    keep_seconds: int = 10
    once: bool = False

    def scoring(self, handle: Callable[[DataFrame, int], None]) -> StreamingQuery:
        """Start the query that scores, without a pause between two batches."""
        rows = self._read(self.topics.incoming, self.most)
        return self._start(rows, f"scored-{self.topics.events}", handle, 0)

    def keeping(self, handle: Callable[[DataFrame, int], None]) -> StreamingQuery:
        """Start the query that appends to the table."""
        rows = self._read([self.topics.scores], 4 * self.most)
        return self._start(rows, f"kept-{self.topics.scores}", handle, self.keep_seconds)

    def _read(self, names: Sequence[str], most: int) -> DataFrame:
        return read_topics(self.lakehouse.spark, self.topics.client, names, most, self.gaps)

    def _start(self, rows: DataFrame, name: str, handle: Callable[[DataFrame, int], None],
               seconds: int) -> StreamingQuery:
        writer = (rows.writeStream.foreachBatch(handle).queryName(name)
                  .option("checkpointLocation", str(checkpoint(self.lakehouse, name))))
        return (writer.trigger(availableNow=True) if self.once
                else writer.trigger(processingTime=f"{seconds} seconds")).start()


class _Query:
    """A query that is started again if Spark could not report on a batch that it repeated.

    Spark's Kafka source 4.1.1 raises in its metrics when a process begins with a batch that a
    killed one had begun; that batch is then done.
    """

    def __init__(self, start: Callable[[], StreamingQuery]) -> None:
        self._start, self._may_repeat = start, True
        self.now = start()

    @property
    def is_active(self) -> bool:
        if (not self.now.isActive and self._may_repeat
                and REPEATED in str(self.now.exception())):
            self._may_repeat = False
            self.now = self._start()
        return bool(self.now.isActive)


def score_live(live: Live, scorer: Scorer, find: Callable[[], str], progress: Progress,
               report: Callable[[int, Sequence[tuple[int, str]]], None],
               stop: Callable[[], bool] | None = None) -> int:
    """Score until SIGTERM or Ctrl-C; a batch that was begun is finished.

    Scores are in the topic at least once, each with an id by which consumers drop doubles, and
    exactly once in the table. A model is replaced between two batches.

    Args:
        find: the address of the model behind the alias.
        report: called now and then with the lag, in messages, and the models' first batches.
        stop: instead of a signal, whether to stop.

    Returns:
        How many rows were appended to the table.

    Raises:
        BadInput: a topic is missing, or the session is one of Spark Connect.
        RowsLost: messages were deleted from a topic before they were read.
        RunFailed: a query failed.
        Unreachable: the broker does not answer, or refuses.
    """
    spark = live.lakehouse.spark
    if type(spark).__module__.startswith("pyspark.sql.connect"):
        raise BadInput("the stream: this is a session of Spark Connect; expected Spark in the same "
                       "process: unset SPARK_REMOTE here, or use a job cluster.")
    kept = Kept(live.lakehouse, live.table, live.topics.scores)
    problems: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(suppress(KeyboardInterrupt))
        stopped = stop or (stack.enter_context(deferred()) if _gets_signals() else _never)
        producer = open_producer(live.topics, problems)
        kept.open()
        model = stack.enter_context(followed(find, scorer.load))
        models = RecordedModels(checkpoint(live.lakehouse, f"scored-{live.topics.events}"), model,
                                scorer.load)
        scored = Scored(live.topics, scorer, models, progress, producer, problems, stopped)
        _run(live, scored, kept, report)
    progress.show_end()
    return kept.rows


def _gets_signals() -> bool:
    return threading.current_thread() is threading.main_thread()


def _never() -> bool:
    return False


def _run(live: Live, scored: Scored, kept: Kept,
         report: Callable[[int, Sequence[tuple[int, str]]], None]) -> None:
    first = _Query(lambda: live.scoring(scored.take))

    def tell() -> None:
        if scored.progress.is_due:
            lag = _lag(first.now)
            scored.progress.show(lag, scored.models.address)
            report(lag, scored.models.changes)

    if live.once:
        _wait([first], scored, kept, tell)
        _wait([_Query(lambda: live.keeping(kept.take))], scored, kept, tell)
    else:
        _wait([first, _Query(lambda: live.keeping(kept.take))], scored, kept, tell)
    report(_lag(first.now), scored.models.changes)


def _wait(queries: Sequence[_Query], scored: Scored, kept: Kept,
          tell: Callable[[], None]) -> None:
    """Until one of them ends, or they are to stop: then end all, each after its batch."""
    try:
        while not scored.stopped() and all(query.is_active for query in queries):
            time.sleep(TICK_SECONDS)
            tell()
    finally:
        while scored.is_busy or kept.is_busy:
            time.sleep(TICK_SECONDS)
        for query in queries:
            query.now.stop()
    if failure := scored.failure or kept.failure:
        raise failure
    failed = [query.now.exception() for query in queries]
    if any(failed) and not scored.stopped():
        said = one_line(str(next(each for each in failed if each)))
        raise (RowsLost if any(sign in said for sign in GONE) else RunFailed)(
            f"the stream ended: {said[:500]}")


def _lag(query: StreamingQuery) -> int:
    """How many messages waited when the last batch ended."""
    found: Any = query.lastProgress
    if not found:
        return 0
    total = 0
    for source in json.loads(found.json)["sources"]:
        latest, reached = (_offsets(source[name]) for name in ("latestOffset", "endOffset"))
        total += sum(max(end - reached.get(place, 0), 0) for place, end in latest.items())
    return total


def _offsets(by_topic: dict[str, dict[str, int]] | None) -> dict[tuple[str, str], int]:
    return {(topic, partition): end for topic, ends in (by_topic or {}).items()
            for partition, end in ends.items()}
