"""The worker under a steady rate: producer's time to committed score, CPU, lag, by cards."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from statistics import median

import psutil
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from fraud_detection.data.world import World
from fraud_detection.demo.replay import Replay, arrivals, silver
from fraud_detection.demo.stage import EVENTS, LABELS, Stage, staged
from fraud_detection.demo.view import read_metrics

RATE, WARM_UP_SECONDS, SECONDS = 5000, 20, 120
CUSTOMERS, HISTORY_DAYS, TRAIN_ROWS = 2000, 66, 60_000
MORE_CUSTOMERS, SHORTER_SECONDS = (10_000, 40_000), 40
A_DAY = 1.8  # transactions of a card
FOLDER = Path(__file__).resolve().parents[1] / ".local" / "bench" / "live"
Samples = list[dict[str, float]]


def run() -> None:
    """With 2,000 cards, as long as the promise says."""
    measure(CUSTOMERS, RATE, SECONDS)


def run_cards() -> None:
    """With more cards: their histories no longer meet in one batch, or fit into the caches."""
    for customers in MORE_CUSTOMERS:
        measure(customers, RATE, SHORTER_SECONDS)


def measure(customers: int, rate: int, seconds: int) -> None:
    transactions = silver(World(
        customers=customers, terminals=2 * customers,
        days=HISTORY_DAYS + 2 + int(rate * (WARM_UP_SECONDS + seconds + 5) / customers / A_DAY)))
    transactions = transactions.take(pc.sort_indices(transactions, [("event_time", "ascending")]))
    rows = int(HISTORY_DAYS * customers * A_DAY)
    history, live = transactions.slice(0, rows), transactions.slice(rows)
    with staged(FOLDER) as stage:
        stage.train(history.slice(rows - TRAIN_ROWS))
        histories = stage.fill(history)
        print(f"{customers:,} cards, {histories:,} histories of {rows:,} events; {rate:,} events/s "
              f"after a warm-up of {WARM_UP_SECONDS} s", flush=True)
        messages = list(arrivals(live.slice(0, rate * (WARM_UP_SECONDS + seconds + 5)), late=0.02))
        gc.freeze()  # a pause of the producer would look like one of the worker
        with stage.worker() as worker:
            _wait(stage)
            with Replay(stage.client, (EVENTS, LABELS), iter(messages), rate) as replay:
                time.sleep(WARM_UP_SECONDS)
                _measure(stage, replay, worker.pid, seconds)
        print((FOLDER / "worker.log").read_text().splitlines()[-1])


def _wait(stage: Stage) -> None:
    end = time.monotonic() + 300
    while not stage.metrics.exists():
        if time.monotonic() > end:
            sys.exit(f"the worker did not start; see {FOLDER}/worker.log.")
        time.sleep(0.2)


def _measure(stage: Stage, replay: Replay, pid: int, lasts: int) -> None:
    """Sample the worker's own metrics each second; its CPU over all of them."""
    process, samples = psutil.Process(pid), []
    began, before, sent = time.monotonic(), _cpu(process), replay.sent
    while time.monotonic() - began < lasts:
        time.sleep(1)
        samples.append(read_metrics(stage.metrics))
    seconds, used = time.monotonic() - began, _cpu(process) - before
    table = Table("worker", "value", box=None)
    add_latencies(table, samples)
    count = _since(samples, "latency_seconds_count")
    for most in ("0.05", "0.1", "0.25", "0.5", "1"):
        within = _since(samples, f'latency_seconds_bucket{{le="{most}"}}')
        table.add_row(f"within {float(most) * 1000:g} ms", f"{within / max(count, 1):.1%}")
    table.add_row("memory", f"{process.memory_info().rss / 1e6:,.0f} MB")
    add_rates(table, samples, replay.sent - sent, seconds, used)
    Console(width=100, highlight=False).print(table)


def add_latencies(table: Table, samples: Samples) -> None:
    for share in ("p50", "p95"):
        found = sorted(1000 * each[f"latency_{share}_seconds"] for each in samples)
        table.add_row(f"{share}, median of the seconds", f"{median(found):,.0f} ms")
        table.add_row(f"{share}, the worst second", f"{found[-1]:,.0f} ms")


def add_rates(table: Table, samples: Samples, sent: int, seconds: float, used: float) -> None:
    """What was sent and scored in these seconds, with so many of CPU."""
    scored = _since(samples, "events_total")
    table.add_row("sent", f"{sent / seconds:,.0f}/s")
    table.add_row("scored", f"{scored / seconds:,.0f}/s")
    table.add_row("lag at the end, messages", f"{samples[-1]['lag_messages']:,.0f}")
    table.add_row("CPU", f"{used / seconds:.2f} cores")
    table.add_row("CPU of a million events", f"{used / max(scored, 1) * 1e6:,.0f} s")
    table.add_row("load of the machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _since(samples: Samples, name: str) -> float:
    return samples[-1][name] - samples[0][name]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
