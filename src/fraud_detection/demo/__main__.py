"""`make stream`: broker, replay, worker and live view for about a minute, then the results."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.compute as pc

from branchline import BadInput, BranchlineError
from branchline.lakehouse.difference.output import print_parts
from branchline.parity import Parity, compare, read_log
from branchline.runs.shown_parity import parts
from fraud_detection.data.world import World
from fraud_detection.demo.replay import Replay, arrivals, silver
from fraud_detection.demo.stage import DELAY, EVENTS, LABELS, LOG, Stage, staged
from fraud_detection.demo.view import View
from fraud_detection.scoring.parity import batch_features, recomputed

__all__: list[str] = []

HISTORY_DAYS, TRAIN_DAYS = 66, 28
LAST_SECONDS = 20.0
NEXT = """\nnext   make stream RATE=3000 SECONDS=60      faster, longer
       tail -n 5 {folder}/worker.log   what the worker said
       docs/live.md                          the same with your broker and your model"""


@click.command()
@click.option("--rate", default=1000.0, show_default=True, type=click.FloatRange(1, 20_000),
              help="Transactions a second.")
@click.option("--seconds", default=35.0, show_default=True, type=click.FloatRange(5, 3600))
@click.option("--customers", default=600, show_default=True, type=click.IntRange(50))
@click.option("--folder", default=Path(".local", "stream"), show_default=True,
              type=click.Path(path_type=Path))
def _command(rate: float, seconds: float, customers: int, folder: Path) -> None:
    """Replay simulated transactions through Kafka, score them live, and compare with batch."""
    days = HISTORY_DAYS + int(rate * seconds / customers / 1.8) + 2
    transactions = silver(World(customers=customers, terminals=2 * customers, days=days))
    begin = pc.add(pc.min(transactions["event_time"]), pa.scalar(timedelta(days=HISTORY_DAYS)))
    is_history = pc.less(transactions["event_time"], begin)
    history, live = (transactions.filter(rows) for rows in (is_history, pc.invert(is_history)))
    print(f"simulated {transactions.num_rows:,} transactions of {days} days; the last "
          f"{live.num_rows:,} are the stream", flush=True)
    with staged(folder) as stage:
        print("broker    Apache Kafka, ready", flush=True)
        train_from = pc.subtract(begin, pa.scalar(timedelta(days=TRAIN_DAYS)))
        stage.train(history.filter(pc.greater_equal(history["event_time"], train_from)))
        print("model     trained and registered, alias champion", flush=True)
        print(f"store     {stage.fill(history):,} histories, from batch's tables\n", flush=True)
        _play(stage, live, rate, seconds)
        log = read_log(LOG, stage.client)
        found = compare(log, recomputed(transactions, batch_features(transactions, DELAY), DELAY))
        _show_end(found, folder)


def _play(stage: Stage, live: pa.Table, rate: float, seconds: float) -> None:
    view = View(stage)
    replay = Replay(stage.client, (EVENTS, LABELS), arrivals(live, late=0.02), rate)
    with stage.worker() as worker:
        while not stage.metrics.exists():
            if worker.poll() is not None:
                raise BadInput(f"the worker did not start; see {stage.folder}/worker.log.")
            time.sleep(0.2)
        with replay:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0 and worker.poll() is None:
                view.take(1.0)
                view.show(replay.sent, left)
        end = time.monotonic() + LAST_SECONDS
        while view.scored < replay.sent and time.monotonic() < end:
            view.take(1.0)
            view.show(replay.sent, 0)
    view.close()


def _show_end(found: Parity, folder: Path) -> None:
    said = (folder / "worker.log").read_text().splitlines()
    print(f"\nworker    {said[-1] if said else 'said nothing'}")
    print_parts(parts(found))
    print(NEXT.format(folder=folder))


if __name__ == "__main__":
    try:
        _command.main(prog_name="stream", standalone_mode=False)
    except BranchlineError as problem:
        raise SystemExit(f"stream: {problem}") from None
