"""The worker when something else goes wrong: a second worker, lost partitions, a burst."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from branchline.errors import RunFailed
from branchline.features.online import SqliteStore
from branchline.streaming import Answer, Message
from branchline.streaming.followed import Followed
from branchline.streaming.progress import Progress
from branchline.streaming.worker import Topics, work
from fraud_detection.demo.view import read_metrics
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Columns
from support.processes import wait_until
from support.topics import Topic, received
from tests.live import Formula

FIXED = {"session.timeout.ms": "6000", "max.poll.interval.ms": "6000"}


class Scorer(FraudScorer):
    """Scores by a formula; waits in the middle of a batch when it is held."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store, Columns(), 7)
        self.free, self.scored = threading.Event(), 0
        self.free.set()

    def score(self, model: Any, messages: Sequence[Message]) -> list[Answer]:
        found = super().score(model, messages)
        self.scored += len(found)
        self.free.wait()
        return found


@contextmanager
def working(topics: Topics, scorer: FraudScorer, progress: Progress) -> Iterator[list[Exception]]:
    """A worker in a thread; the list has what ended it."""
    stopped, ended = threading.Event(), list[Exception]()

    def run() -> None:
        model = Followed(lambda: "fixed", lambda _: Formula())
        try:
            work(topics, scorer, model, progress, stopped.is_set)
        except Exception as problem:
            ended.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ended
    finally:
        stopped.set()
        thread.join()


def sold(number: int) -> dict[str, Any]:
    return {"transaction_id": str(number), "customer_id": f"c{number % 7}", "terminal_id": "t",
            "event_time": f"{datetime(2024, 1, 1) + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}",
            "amount": number % 13 + 0.25}


def test_a_worker_that_lost_its_partitions_commits_nothing_of_its_last_batch(
        broker: Any, tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address, "group.id": tmp_path.name, **FIXED}
    events, scores = Topic(client, partitions=2), Topic(client)
    first, second = (Scorer(SqliteStore(tmp_path / "events.db")) for _ in range(2))
    topics = [Topics(client, events.name, scores.name, worker=name) for name in "ab"]
    one, other = Progress(), Progress()
    first.free.clear()
    with working(topics[0], first, one):
        for partition in range(2):
            events.send(*(sold(number) for number in range(partition, 1000, 2)),
                        partition=partition)
        wait_until(lambda: first.scored > 0)
        with working(topics[1], second, other):
            wait_until(lambda: other.events == 1000)
            first.free.set()
            for partition in range(2):
                events.send(*(sold(1000 + number) for number in range(partition, 1000, 2)),
                            partition=partition)
            wait_until(lambda: one.events + other.events == 2000)
    assert first.scored > one.events  # scored, and not committed
    found = Counter(row["transaction_id"] for row in received(scores, 2000))
    assert len(found) == found.total() == 2000


def test_of_two_workers_with_one_name_the_older_ends(broker: Any, tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address, "group.id": tmp_path.name}
    events, scores = Topic(client), Topic(client)
    topics = Topics(client, events.name, scores.name)
    older, newer = (Scorer(SqliteStore(tmp_path / "events.db")) for _ in range(2))
    one, other = Progress(), Progress()
    with working(topics, older, one) as ended:
        events.send(sold(0))
        wait_until(lambda: one.events == 1)
        with working(topics, newer, other):
            def is_over() -> bool:
                events.send(sold(0))
                return bool(ended) and other.events > 0

            wait_until(is_over)
    assert isinstance(ended[0], RunFailed) and "expected a name of its own" in str(ended[0])


def test_a_burst_of_ten_times_the_rate_is_worked_off_until_nothing_waits(
        broker: Any, tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address, "group.id": tmp_path.name}
    events, scores, metrics = Topic(client), Topic(client), tmp_path / "worker.prom"
    lags, progress = [0.0], Progress(0.05, metrics)
    with working(Topics(client, events.name, scores.name),
                 Scorer(SqliteStore(tmp_path / "events.db")), progress):
        for second in range(3):
            events.send(*(sold(second * 100 + number) for number in range(100)))
            time.sleep(0.1)
        events.send(*(sold(number) for number in range(300, 13_300)))

        def is_worked_off() -> bool:
            lags.append(read_metrics(metrics).get("lag_messages", 0.0))
            return progress.events == 13_300 and lags[-1] == 0

        wait_until(is_worked_off)
    assert max(lags) > 1000
    assert len(received(scores, 13_300)) == 13_300


def test_a_label_that_was_taken_but_not_saved_before_a_kill_counts_for_the_next_event(
        broker: Any, tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address, "group.id": tmp_path.name}
    events, labels, scores = Topic(client), Topic(client), Topic(client)
    topics = Topics(client, events.name, scores.name, labels.name)

    def worker() -> Scorer:
        return Scorer(SqliteStore(tmp_path / "events.db"))

    progress = Progress()
    with working(topics, worker(), progress):  # saves the event before there is any label
        events.send(sold(0))
        wait_until(lambda: progress.events == 1)
    killed = worker()
    killed.features.save = lambda *_: True  # type: ignore[method-assign]
    with working(topics, killed, progress):
        labels.send({**sold(0), "is_fraud": 1})
        wait_until(lambda: progress.labels == 1)
    with working(topics, worker(), progress):
        events.send({**sold(7), "event_time": "2024-01-10T00:00:00Z"})
        wait_until(lambda: progress.events == 2)
    later = {row["transaction_id"]: row["score"] for row in received(scores, 2)}["7"]
    assert 1000 <= later < 2000, "the terminal's fraud rate is 1, a thousand in this score"
