"""Finds the new offsets of a topic, as spans of its partitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from branchline.errors import BadInput, NotInstalled, Unreachable

__all__ = ["Span", "consumer", "spans"]

ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Span:
    """The offsets [start, end) of a partition; those before `first` are gone."""

    partition: int
    start: int
    first: int
    end: int

    @property
    def lost(self) -> int:
        return self.first - self.start

    def parts(self, size: int) -> Iterator[Span]:
        """Parts of at most `size` offsets; the lost ones belong to the first part."""
        begins = range(self.first, self.end, size) or range(self.first, self.first + 1)
        for begin in begins:
            yield replace(self, start=self.start if begin == self.first else begin, first=begin,
                          end=min(begin + size, self.end))


def spans(topic: str, client: Mapping[str, str], reached: Mapping[int, int]) -> list[Span]:
    """The partitions with something new; `reached` is the first offset of each not taken yet.

    A topic that was never read starts at its earliest offset.

    Raises:
        BadInput: there is no such topic, or a partition ends before the offset reached.
        Unreachable: the broker does not answer, or refuses.
    """
    from confluent_kafka import KafkaException, TopicPartition
    problems: list[str] = []
    reader = consumer(client, problems)
    try:
        found = []
        for partition in _partitions(reader, topic):
            low, end = reader.get_watermark_offsets(TopicPartition(topic, partition),
                                                    timeout=ANSWER_SECONDS)
            start = reached.get(partition, 0 if reached else low)
            if end < start:
                raise BadInput(f"kafka://{topic}/{partition}: ends with offset {end}, but those "
                               f"before {start} were taken: it is another topic with the same "
                               "name. Give it a name of its own, or take it into another schema.")
            if end > start:
                found.append(Span(partition, start, max(low, start), end))
        return found
    except KafkaException as problem:
        reader.poll(0)  # this also delivers errors
        said = problems[-1] if problems else problem.args[0].str()
        raise Unreachable(f"kafka://{topic}: {client['bootstrap.servers']} does not answer, or "
                          f"refuses: {said}. Check the address and the sign-in.") from None
    finally:
        reader.close()


def _partitions(reader: Any, topic: str) -> list[int]:
    found = reader.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    if found.error or not found.partitions:
        raise BadInput(f"kafka://{topic}: there is no such topic; expected one that exists and "
                       "may be read.")
    return sorted(found.partitions)


def consumer(client: Mapping[str, str], problems: list[str]) -> Any:
    """A consumer that reads assigned partitions and commits nothing; its errors are collected.

    Raises:
        NotInstalled: Kafka's client is missing.
        BadInput: a setting is unknown or invalid.
    """
    try:
        from confluent_kafka import Consumer, KafkaException
    except ImportError:
        raise NotInstalled("confluent-kafka: not installed in this environment; Kafka needs the "
                           "extra `kafka` of branchline.") from None
    ours = {"enable.auto.commit": False, "enable.partition.eof": True,
            "auto.offset.reset": "error", "isolation.level": "read_committed",
            "error_cb": lambda problem: problems.append(problem.str())}
    try:
        return Consumer({**client, **ours}, logger=_silent())
    except KafkaException as problem:
        raise BadInput(f"Kafka's client: {problem.args[0].str()}. Correct the Kafka file."
                       ) from None


def _silent() -> Any:
    """Silences the client's own log lines, which arrive as errors anyway."""
    import logging
    found = logging.getLogger("branchline.kafka")
    found.setLevel(logging.CRITICAL)
    return found
