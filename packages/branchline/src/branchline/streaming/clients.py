"""Kafka's clients for the worker, with their errors in one line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from branchline.errors import BadInput, NotInstalled, RunFailed, Unreachable

__all__ = ["ANSWER_SECONDS", "Interrupted", "Topics", "answering", "check_topics", "clients",
           "in_time", "made"]

ANSWER_SECONDS = 30.0
# Waiting 10 ms for more messages saves the client and the broker most of their requests.
FEW_REQUESTS = {"fetch.min.bytes": 50_000, "fetch.wait.max.ms": 10}
# What a killed worker left open holds up the one that gets its partitions.
TRANSACTION_MILLISECONDS = 30_000
DOWN = ("_ALL_BROKERS_DOWN", "_TRANSPORT", "_RESOLVE")
REFUSED = ("_AUTHENTICATION", "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED",
           "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "SASL_AUTHENTICATION_FAILED")


class Interrupted(Exception):
    """A transaction was aborted, as on a change in the group: begin from the last committed one."""


@dataclass(frozen=True)
class Topics:
    """Where events and labels come from, and where scores and the log go.

    `client` are the settings of Kafka's client, `group.id` among them; `worker` is this worker's
    name in the group: of two with one name, the older one ends.
    """

    client: Mapping[str, str] = field(repr=False)
    events: str
    scores: str
    labels: str | None = None
    log: str | None = None
    worker: str = "1"

    @property
    def incoming(self) -> list[str]:
        return [self.events, *([self.labels] if self.labels else [])]

    @property
    def every(self) -> list[str]:
        return [*self.incoming, self.scores, *([self.log] if self.log else [])]


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
        check_topics(consumer, topics.every)
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


def check_topics(consumer: Any, names: Sequence[str]) -> None:
    """
    Raises:
        BadInput: one of the topics does not exist.
        KafkaException: the broker does not answer.
    """
    found = consumer.list_topics(timeout=ANSWER_SECONDS).topics
    for name in names:
        if name not in found or not found[name].partitions:
            raise BadInput(f"kafka://{name}: there is no such topic; expected one that exists and "
                           "may be used.")


@contextmanager
def answering(topics: Topics, problems: Sequence[str]) -> Iterator[None]:
    """In the block, Kafka's errors become those of branchline.

    Raises:
        Interrupted: the transaction can be tried again.
        RunFailed: another worker with the same name has started.
        Unreachable: everything else.
    """
    from confluent_kafka import KafkaException
    try:
        yield
    except TimeoutError as problem:
        raise unreachable(topics, [*problems, str(problem)]) from None
    except KafkaException as problem:
        error = problem.args[0]
        if error.txn_requires_abort():
            raise Interrupted(error.str()) from None
        if error.name() in ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"):
            raise RunFailed(f"worker {topics.worker}: another worker with this name has started; "
                            "expected a name of its own for each.") from None
        raise unreachable(topics, problems or [error.str()]) from None


def in_time(work: Callable[[], None], seconds: float) -> None:
    """Do the work in a thread: Kafka's client can wait forever for a broker that was killed.

    Raises:
        TimeoutError: it has not ended within these seconds; the thread is left behind.
    """
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as problem:
            failures.append(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:g} s")
    if failures:
        raise failures[0]


def unreachable(topics: Topics, problems: Sequence[str]) -> Unreachable:
    """The error for a broker that is gone, from what the client said last."""
    said = next((each for each in reversed(problems) if not each.startswith(DOWN)), problems[-1])
    return Unreachable(f"kafka://{topics.events}: {topics.client['bootstrap.servers']} does not "
                       f"answer, or refuses: {said}. Check the address and the sign-in, and start "
                       "again: nothing is lost or scored twice.")
