"""Reads a span of a topic's partition as rows of text, one per message."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from branchline.errors import RowsLost, Unreachable
from branchline.lakehouse.sources.json_lines import rows_of
from branchline.lakehouse.sources.kafka_offsets import Span, consumer
from branchline.lakehouse.sources.layout import Layout, whole_file

__all__ = ["MESSAGE", "read_span"]

AT_ONCE = 10_000
WAIT_SECONDS = 60
MESSAGE = ("message_key", "message_headers")  # columns after those of the layout
NO_VALUE = "message has no value"


def read_span(topic: str, client: Mapping[str, str], layout: Layout, span: Span,
              ) -> Iterator[pa.RecordBatch]:
    """The messages of a span, and a row for the offsets lost before it.

    Raises:
        RowsLost: offsets were deleted from the topic meanwhile, or belong to an open transaction.
        Unreachable: the broker does not answer for a minute.
    """
    place = f"kafka://{topic}/{span.partition}"
    if span.lost:
        gone = whole_file(layout, f"offsets {span.start} to {span.first - 1} are gone from the "
                          f"topic: {span.lost} messages", span.start)
        yield _placed(place, gone, [None], [(None, None)])
    for messages in _messages(topic, client, span):
        yield _batch(place, messages, layout)


def _messages(topic: str, client: Mapping[str, str], span: Span) -> Iterator[list[Any]]:
    from confluent_kafka import TopicPartition
    problems: list[str] = []
    reader = consumer(client, problems)
    try:
        reader.assign([TopicPartition(topic, span.partition, span.first)])
        at, seen = span.first, time.monotonic()
        while at < span.end:
            got = reader.consume(AT_ONCE, timeout=1.0)
            if not got and time.monotonic() - seen > WAIT_SECONDS:
                raise Unreachable(f"kafka://{topic}/{span.partition}: no answer for "
                                  f"{WAIT_SECONDS} s, at offset {at}. {' '.join(problems[-1:])}")
            for message in got:
                at = _position(message, topic, span)
            seen = time.monotonic() if got else seen
            kept = [message for message in got
                    if not message.error() and message.offset() < span.end]
            if kept:
                yield kept
    finally:
        reader.close()


def _position(message: Any, topic: str, span: Span) -> int:
    """The offset after a message, or after the partition's last one."""
    from confluent_kafka import KafkaError
    error = message.error()
    if not error:
        return int(message.offset()) + 1
    if error.code() != KafkaError._PARTITION_EOF:
        raise RowsLost(f"kafka://{topic}/{span.partition}: cannot be read from offset "
                       f"{span.first} on: {error.str()}. Run again.")
    if message.offset() < span.end:
        raise RowsLost(f"kafka://{topic}/{span.partition}: ends with offset {message.offset()}, "
                       f"but {span.end} was its end: a transaction is open. Run again.")
    return int(message.offset())


def _batch(place: str, messages: Sequence[Any], layout: Layout) -> pa.RecordBatch:
    values = [message.value() for message in messages]
    rows = rows_of([(value or b"").decode("utf-8", "replace") for value in values],
                   pa.array([message.offset() for message in messages], pa.int64()), layout)
    at = rows.schema.get_field_index("problem")
    problems = [NO_VALUE if value is None else problem
                for value, problem in zip(values, rows.column(at).to_pylist(), strict=True)]
    rows = rows.set_column(at, "problem", pa.array(problems, pa.string()))
    arrived = [_milliseconds(*message.timestamp()) for message in messages]
    return _placed(place, rows, arrived, [(_text(message.key()), _headers(message.headers()))
                                          for message in messages])


def _placed(place: str, rows: pa.RecordBatch, arrived: Sequence[int | None],
            message: Sequence[tuple[str | None, str | None]]) -> pa.RecordBatch:
    """The rows with file and time of arrival (milliseconds) first, key and headers last."""
    microseconds = [None if time is None else time * 1000 for time in arrived]
    source = [pa.repeat(pa.scalar(place), len(rows)),
              pa.array(microseconds, pa.timestamp("us", "UTC"))]
    further = [pa.array([row[at] for row in message], pa.string()) for at in range(len(MESSAGE))]
    return pa.RecordBatch.from_arrays(
        [*source, *rows.columns, *further],
        names=["source_file", "arrived_at", *rows.schema.names, *MESSAGE])


def _milliseconds(kind: int, time: int) -> int | None:
    return time if kind and time >= 0 else None


def _text(value: bytes | str | None) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _headers(headers: Sequence[tuple[str, bytes | None]] | None) -> str | None:
    """As a JSON list of pairs, since a header may occur twice."""
    return json.dumps([[name, _text(value)] for name, value in headers]) if headers else None
