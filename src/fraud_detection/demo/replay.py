"""Sends simulated transactions, and later their labels, to Kafka at a chosen speed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from branchline.features.kernel import DAY
from fraud_detection.data.world import World, simulate
from fraud_detection.scoring.messages import LABEL

__all__ = ["Replay", "Sent", "arrivals", "silver"]

Sent = tuple[bool, bytes]  # whether it is a label, and the message
IDS = ("transaction_id", "customer_id", "terminal_id")
PAUSE_SECONDS = 0.01


def silver(world: World) -> pa.Table:
    """The world's transactions with the names and types of silver.transactions."""
    found = simulate(world)
    ids = {name: found[name.upper()].cast(pa.string()) for name in IDS}
    return pa.table({**ids, "event_time": found["TX_DATETIME"].cast(pa.timestamp("us", "UTC")),
                     "amount": found["TX_AMOUNT"], LABEL: found["TX_FRAUD"].cast(pa.int32())})


def arrivals(transactions: pa.Table, late: float, seed: int = 0) -> Iterator[Sent]:
    """Messages in the order in which they arrive: transactions without labels, and labels.

    A label comes 7 days after its transaction; the share `late` of the transactions and of the
    labels comes up to a day later than that.
    """
    source, rows = np.random.default_rng(seed), transactions.to_pylist()
    times = transactions["event_time"].cast(pa.int64()).to_numpy() // 1000
    delays = [np.where(source.random(len(rows)) < late, source.integers(1, DAY, len(rows)), 0)
              for _ in range(2)]
    came = sorted([*((time, at, False) for at, time in enumerate((times + delays[0]).tolist())),
                   *((time, at, True)
                     for at, time in enumerate((times + 7 * DAY + delays[1]).tolist()))])
    return ((is_label, _message(rows[at], is_label)) for _, at, is_label in came)


def _message(row: dict[str, Any], is_label: bool) -> bytes:
    last = LABEL if is_label else "amount"
    return json.dumps({**{name: row[name] for name in (*IDS, last)},
                       "event_time": row["event_time"].isoformat()}).encode()


class Replay:
    """Sends messages in a thread of its own, `rate` transactions a second.

    Args:
        client: settings of Kafka's client.
        topics: of the transactions and of the labels.
    """

    def __init__(self, client: dict[str, str], topics: tuple[str, str], messages: Iterator[Sent],
                 rate: float) -> None:
        from confluent_kafka import Producer
        self._producer = Producer({**client, "linger.ms": 1, "log_level": 0})
        self._topics, self._messages, self.rate = topics, messages, rate
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0  # transactions

    def __enter__(self) -> Replay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more, and wait until the broker has what was sent."""
        self._stopped.set()
        self._thread.join()
        self._producer.flush(30)

    def wait(self) -> None:
        """Wait until all messages are sent."""
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stopped.is_set():
            if not self._send_until(lambda: self.sent >= (time.monotonic() - began) * self.rate):
                return
            self._producer.poll(0)
            time.sleep(PAUSE_SECONDS)

    def _send_until(self, is_enough: Callable[[], bool]) -> bool:
        """False when there is nothing left."""
        while not is_enough():
            found = next(self._messages, None)
            if found is None:
                return False
            is_label, value = found
            self._produce(self._topics[is_label], value)
            self.sent += not is_label
        return True

    def _produce(self, topic: str, value: bytes) -> None:
        """Send a message; wait for the broker where too many are on their way."""
        while True:
            try:
                self._producer.produce(topic, value)
                return
            except BufferError:
                self._producer.poll(PAUSE_SECONDS)
