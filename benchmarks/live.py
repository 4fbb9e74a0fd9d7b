"""The worker under a steady rate: producer's time to committed score, CPU, lag, for a minute."""

from __future__ import annotations

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

RATE, WARM_UP_SECONDS, SECONDS = 5000, 20, 60
CUSTOMERS, HISTORY_ROWS, TRAIN_ROWS = 2000, 250_000, 60_000
FOLDER = Path(__file__).resolve().parents[1] / ".local" / "bench" / "live"


def run() -> None:
    needed = HISTORY_ROWS + RATE * (WARM_UP_SECONDS + SECONDS + 5)
    world = World(customers=CUSTOMERS, terminals=2 * CUSTOMERS,
                  days=needed // (CUSTOMERS * 18 // 10))
    transactions = silver(world)
    order = pc.sort_indices(transactions, [("event_time", "ascending")])
    transactions = transactions.take(order)
    history, live = transactions.slice(0, HISTORY_ROWS), transactions.slice(HISTORY_ROWS)
    with staged(FOLDER) as stage:
        stage.train(history.slice(HISTORY_ROWS - TRAIN_ROWS))
        histories = stage.fill(history)
        print(f"{histories:,} histories of {HISTORY_ROWS:,} events; {RATE:,} events/s after a "
              f"warm-up of {WARM_UP_SECONDS} s", flush=True)
        messages = iter(list(arrivals(live, late=0.02)))
        with stage.worker() as worker:
            _wait(stage)
            with Replay(stage.client, (EVENTS, LABELS), messages, RATE) as replay:
                time.sleep(WARM_UP_SECONDS)
                _measure(stage, replay, worker.pid)
        print((FOLDER / "worker.log").read_text().splitlines()[-1])


def _wait(stage: Stage) -> None:
    end = time.monotonic() + 300
    while not stage.metrics.exists():
        if time.monotonic() > end:
            sys.exit(f"the worker did not start; see {FOLDER}/worker.log.")
        time.sleep(0.2)


def _measure(stage: Stage, replay: Replay, pid: int) -> None:
    """Sample the worker's own metrics each second; its CPU over all of them."""
    process, samples = psutil.Process(pid), []
    began, before, sent = time.monotonic(), _cpu(process), replay.sent
    while time.monotonic() - began < SECONDS:
        time.sleep(1)
        samples.append(read_metrics(stage.metrics))
    seconds, used = time.monotonic() - began, _cpu(process) - before
    scored = samples[-1]["events_total"] - samples[0]["events_total"]
    table = Table("worker", "value", box=None)
    for name, share in (("p50", "p50"), ("p95", "p95")):
        found = sorted(1000 * each[f"latency_{share}_seconds"] for each in samples)
        table.add_row(f"{name}, median of the seconds", f"{median(found):,.0f} ms")
        table.add_row(f"{name}, the worst second", f"{found[-1]:,.0f} ms")
    table.add_row("sent", f"{(replay.sent - sent) / seconds:,.0f}/s")
    table.add_row("scored", f"{scored / seconds:,.0f}/s")
    table.add_row("lag at the end, messages", f"{samples[-1]['lag_messages']:,.0f}")
    table.add_row("CPU", f"{used / seconds:.2f} cores")
    table.add_row("CPU of a million events", f"{used / max(scored, 1) * 1e6:,.0f} s")
    table.add_row("load of the machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    Console(width=100, highlight=False).print(table)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
