"""A stream whose worker, broker and store are killed at random moments, and what came of it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, KafkaException, TopicPartition

from branchline.parity import Parity, compare, read_log
from branchline.spark.kafka_broker import Broker
from fraud_detection.data.world import World
from fraud_detection.demo.replay import Replay, arrivals, silver
from fraud_detection.scoring.parity import batch_features, recomputed
from support.clone import ROOT
from support.redis_server import RedisServer, redis_server
from support.topics import Topic, received
from tests.live import Formula

LONGEST_PAUSE = 3.0
WAIT_SECONDS = 600
MOSTLY = 0.8  # a kill waits until something was scored since the last
GROUP = "disturbed"
# A worker that was killed leaves the group after two seconds.
SESSION = {"session.timeout.ms": "2000", "heartbeat.interval.ms": "500"}


def wait_until(condition: Callable[[], bool]) -> None:
    """Patient: a broker that was killed takes its time on a busy machine."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"did not happen within {WAIT_SECONDS} s"
        time.sleep(0.1)


@dataclass(frozen=True)
class Outcome:
    """What is in the topics in the end, against the transactions that were sent."""

    sent: int
    scores: Counter[str]  # how many there are of each transaction
    parity: Parity
    codes: Sequence[int]  # of the workers that ended
    killed: Sequence[str]

    @property
    def lost(self) -> int:
        return self.sent - len(self.scores)

    @property
    def doubled(self) -> int:
        return self.scores.total() - len(self.scores)


@dataclass
class Stream:
    """A running broker with topics, a worker that is started again when it ends, and a store."""

    folder: Path
    broker: Broker
    topics: dict[str, Topic]
    store: str
    redis: RedisServer | None
    codes: list[int] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    worker: subprocess.Popen[bytes] | None = None

    @property
    def metrics(self) -> Path:
        return self.folder / "worker.prom"

    def start_worker(self) -> None:
        settings = {"client": {"bootstrap.servers": self.broker.address, "group.id": GROUP,
                               **SESSION},
                    **{name: topic.name for name, topic in self.topics.items()},
                    "save_seconds": 1.0, "metrics": str(self.metrics)}
        with open(self.folder / "worker.log", "ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "tests.formula_worker", self.store, json.dumps(settings)],
                cwd=ROOT, stdout=log, stderr=log)

    def keep_working(self) -> None:
        """Start the worker again if it ended, as a service manager does."""
        assert self.worker
        if self.worker.poll() is not None:
            self.codes.append(self.worker.returncode)
            self.start_worker()

    def committed(self) -> list[int] | None:
        """The group's offsets; None while the broker has no answer."""
        consumer = Consumer({"bootstrap.servers": self.broker.address, "group.id": GROUP,
                             "isolation.level": "read_uncommitted", "log_level": 0})
        places = [TopicPartition(self.topics[name].name, 0) for name in ("events", "labels")]
        try:
            return [place.offset for place in consumer.committed(places, 30)]
        except KafkaException:
            return None
        finally:
            consumer.close()

    def ends(self) -> list[int]:
        return [self.topics[name].end() for name in ("events", "labels")]

    def wait_for_progress(self) -> None:
        """Until more is committed, or, on a slow machine, all that was sent."""
        before = self.committed()

        def has_moved() -> bool:
            self.keep_working()
            reached = self.committed()
            return reached is not None and (reached != before or reached == self.ends())

        wait_until(has_moved)

    def kill(self, what: str) -> None:
        """SIGKILL; the broker and the store come back at once, with what they have on disk."""
        self.killed.append(what)
        if what == "worker":
            assert self.worker
            self.worker.kill()
            self.worker.wait()
            self.keep_working()
        elif what == "broker":
            self.broker.stop()
            self.broker.start()
        else:
            assert self.redis
            self.redis.kill()
            self.redis.start()

    def stop_worker(self) -> None:
        assert self.worker
        self.worker.send_signal(signal.SIGTERM)
        self.codes.append(self.worker.wait(60))


def disturbed(folder: Path, kills: Sequence[str], seed: int, world: World,
              rate: float) -> Outcome:
    """Stream the world's transactions, and kill these, one after the other.

    Args:
        kills: "worker", "broker" or "store"; without "store" it is a file.
        rate: transactions a second while there are kills; those left follow at once.
    """
    transactions, chance = silver(world), random.Random(seed)
    with streaming(folder, "store" in kills) as stream:
        client = {"bootstrap.servers": stream.broker.address, "enable.idempotence": "true"}
        names = stream.topics["events"].name, stream.topics["labels"].name
        with Replay(client, names, arrivals(transactions, late=0.02), rate) as replay:
            stream.start_worker()
            for what in kills:
                if chance.random() < MOSTLY:
                    stream.wait_for_progress()
                end = time.monotonic() + chance.uniform(0, LONGEST_PAUSE)
                while (left := end - time.monotonic()) > 0:
                    stream.keep_working()
                    time.sleep(min(left, 0.1))
                stream.kill(what)
            replay.rate = 1e9
            replay.wait()
        work_off(stream)
        return outcome(stream, transactions)


def work_off(stream: Stream) -> None:
    """Wait until the group has reached the end of what was sent, then stop the worker."""
    ends = stream.ends()

    def is_done() -> bool:
        stream.keep_working()
        return stream.committed() == ends

    wait_until(is_done)
    stream.stop_worker()


@contextmanager
def streaming(folder: Path, is_shared: bool) -> Iterator[Stream]:
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(
            folder / "kafka", {"group.min.session.timeout.ms": "1000"}))
        client = {"bootstrap.servers": broker.address, "log_level": "0"}
        redis = None
        if is_shared:
            redis = stack.enter_context(redis_server(folder, "--appendonly", "yes"))
        topics = {name: Topic(client) for name in ("events", "labels", "scores", "log")}
        stream = Stream(folder, broker, topics, redis.url if redis else f"{folder}/events.db",
                        redis)
        try:
            yield stream
        finally:
            if stream.worker:
                stream.worker.kill()
                stream.worker.wait()


def outcome(stream: Stream, transactions: pa.Table) -> Outcome:
    count = transactions.num_rows
    scores = Counter(row["transaction_id"] for row in received(stream.topics["scores"], count))
    log = read_log(stream.topics["log"].name, stream.topics["log"].client)
    order = pc.sort_indices(transactions, [("event_time", "ascending")])
    batch = transactions.take(order)
    parity = compare(log, recomputed(batch, batch_features(batch, 7), 7, Formula()))
    return Outcome(count, scores, parity, stream.codes, stream.killed)
