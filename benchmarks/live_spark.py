"""The stream on Spark under the worker's rate: time to the sent score, CPU, lag, rows in gold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from benchmarks.live import add_latencies, add_rates
from fraud_detection.data.world import World
from fraud_detection.demo.replay import Replay, arrivals, silver
from fraud_detection.demo.stage import EVENTS, LABELS, SCORES, Stage, staged, stopped_at_the_end
from fraud_detection.demo.view import read_metrics

RATE, WARM_UP_SECONDS, SECONDS = 5000, 40, 60
CUSTOMERS, HISTORY_ROWS, TRAIN_ROWS = 2000, 250_000, 60_000
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".local" / "bench" / "live_spark"
START_SECONDS, STOP_SECONDS = 300, 120


def run() -> None:
    needed = HISTORY_ROWS + RATE * (WARM_UP_SECONDS + SECONDS + 10)
    transactions = silver(World(customers=CUSTOMERS, terminals=2 * CUSTOMERS,
                                days=needed // (CUSTOMERS * 18 // 10)))
    transactions = transactions.take(pc.sort_indices(transactions, [("event_time", "ascending")]))
    history, live = transactions.slice(0, HISTORY_ROWS), transactions.slice(HISTORY_ROWS)
    with staged(FOLDER) as stage:
        stage.train(history.slice(HISTORY_ROWS - TRAIN_ROWS))
        print(f"{stage.fill(history):,} histories of {HISTORY_ROWS:,} events; {RATE:,} events/s "
              f"after a warm-up of {WARM_UP_SECONDS} s", flush=True)
        messages = iter(list(arrivals(live, late=0.02)))
        with stream(stage) as process, \
                Replay(stage.client, (EVENTS, LABELS), messages, RATE) as replay:
            time.sleep(WARM_UP_SECONDS)
            _measure(stage, replay, process.pid)
    print(*(FOLDER / "stream.log").read_text().splitlines()[-2:], sep="\n")


@contextmanager
def stream(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """fraud-scoring's entry point `stream` on the stage, ready; stopped by SIGTERM in the end."""
    kafka = json.dumps({"bootstrap_servers": stage.address})
    arguments = {"--steps": "stream", "--kafka": kafka, "--events": EVENTS, "--scores": SCORES,
                 "--labels": LABELS, "--store": stage.folder / "events.db", "--every": 1,
                 "--metrics": stage.metrics, "--lakehouse": stage.folder / "lakehouse"}
    words = [str(word) for pair in arguments.items() for word in pair]
    with open(stage.folder / "stream.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "main.py", *words], cwd=ROOT / "mlflow-notebooks" / "fraud-scoring",
            env={**os.environ, "MLFLOW_TRACKING_URI": stage.tracking, "OMP_NUM_THREADS": "1"},
            stdout=log, stderr=log)
    with stopped_at_the_end(process, STOP_SECONDS):
        _wait(stage, process)
        yield process


def _wait(stage: Stage, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while not stage.metrics.exists():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"the stream did not start; see {stage.folder}/stream.log.")
        time.sleep(0.2)


def _measure(stage: Stage, replay: Replay, pid: int) -> None:
    """Sample the stream's own metrics each second; its CPU over all of them."""
    samples, began, before, sent = [], time.monotonic(), _cpu(pid), replay.sent
    while time.monotonic() - began < SECONDS:
        time.sleep(1)
        samples.append(read_metrics(stage.metrics))
    seconds, used = time.monotonic() - began, _cpu(pid) - before
    table = Table("Spark, with gold.scores filled", "value", box=None)
    add_latencies(table, samples)
    add_rates(table, samples, replay.sent - sent, seconds, used)
    Console(width=100, highlight=False).print(table)


def _cpu(pid: int) -> float:
    """Of the process, its JVM and Python's workers, in seconds."""
    total, process = 0.0, psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
    return total
