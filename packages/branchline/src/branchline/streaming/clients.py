"""Kafka's clients for the worker: a consumer in a group, and a producer with transactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from branchline.errors import BadInput, NotInstalled
from branchline.streaming.answers import answering
from branchline.streaming.topics import Topics

__all__ = ["ANSWER_SECONDS", "check_topics", "clients", "made", "reach"]

ANSWER_SECONDS = 30.0
# Waiting 10 ms for more messages saves the client and the broker most of their requests.
FEW_REQUESTS = {"fetch.min.bytes": 50_000, "fetch.wait.max.ms": 10}
# What a killed worker left open holds up the one that gets its partitions.
TRANSACTION_MILLISECONDS = 30_000
REFUSED = ("_AUTHENTICATION", "_SSL")
TRY_SECONDS = 3.0


def clients(topics: Topics, problems: list[str], **handlers: Any) -> tuple[Any, Any]:
    """A consumer in the group, and a producer with transactions; `problems` collects errors.

    `handlers` are those of `Consumer.subscribe`.

    Raises:
        NotInstalled: Kafka's client is missing.
        BadInput: a setting is unknown, or a topic is missing.
        Unreachable: the broker does not answer, or refuses.
    """
    try:
        import orjson  # noqa: F401 - the worker's
        from confluent_kafka import Consumer, Producer
    except ImportError as missing:
        raise NotInstalled(f"{missing.name}: not installed in this environment; the worker needs "
                           "the extra `kafka` of branchline.") from None

    def keep(error: Any) -> None:
        problems.append(f"{error.name()} {error.str()}")

    shared = {**topics.client, "error_cb": keep, "log_level": 0}
    consumer = made(Consumer, {
        **FEW_REQUESTS, **shared, "enable.auto.commit": False, "enable.partition.eof": True,
        "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    name = f"{topics.client['group.id']} {topics.scores} {topics.worker}"
    producer = made(Producer, {
        **{key: value for key, value in shared.items() if key != "group.id"},
        "transactional.id": name, "linger.ms": 20, "delivery.report.only.error": True,
        "transaction.timeout.ms": TRANSACTION_MILLISECONDS})
    with answering(topics, problems):
        reach(consumer, topics.every, problems)
        producer.init_transactions(ANSWER_SECONDS)
        consumer.subscribe(topics.incoming, **handlers)
    return consumer, producer


def made(kind: Callable[[dict[str, Any]], Any], settings: Mapping[str, Any]) -> Any:
    """A client of Kafka, such as a Producer.

    Raises:
        BadInput: a setting is unknown or invalid.
    """
    from confluent_kafka import KafkaException
    try:
        return kind(dict(settings))
    except KafkaException as problem:
        raise BadInput(f"Kafka's settings: {problem.args[0].str()}; expected those of the Kafka "
                       "file and librdkafka's.") from None


def reach(client: Any, names: Sequence[str], problems: Sequence[str]) -> None:
    """Wait until the broker answers, and check the topics; if it refuses the sign-in, don't wait.

    Raises:
        BadInput: one of the topics does not exist.
        KafkaException: the broker refuses, or does not answer; `problems` has the reason.
    """
    from confluent_kafka import KafkaException
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return check_topics(client, names, TRY_SECONDS)
        except KafkaException:
            client.poll(0)  # the client hands over its errors only when it is asked
            if any(each.startswith(REFUSED) for each in problems) or time.monotonic() > end:
                raise


def check_topics(client: Any, names: Sequence[str], seconds: float = ANSWER_SECONDS) -> None:
    """
    Raises:
        BadInput: one of the topics does not exist.
        KafkaException: the broker does not answer.
    """
    found = client.list_topics(timeout=seconds).topics
    for name in names:
        if name not in found or not found[name].partitions:
            raise BadInput(f"kafka://{name}: there is no such topic; expected one that exists and "
                           "may be used.")
