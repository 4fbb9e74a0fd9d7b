"""The worker's stream with 20 kills at random moments: what is lost, doubled, or differs."""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fraud_detection.data.world import World

sys.path.append(str(Path(__file__).parents[1] / "packages" / "branchline" / "tests"))

KILLS, RATE = 20, 400
SECONDS_EACH = 6
FOLDER = Path(__file__).resolve().parents[1] / ".local" / "bench" / "kills"


def run() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    table = Table("store", "killed", "transactions", "lost", "doubled", "values", "mismatches",
                  "explained", "worker's exit codes", "seconds", box=None)
    wrong: list[int] = []
    for store, kinds in (("embedded", ["worker", "worker", "broker"]),
                         ("Redis", ["worker", "store", "broker"])):
        row, count = _row(kinds, seed)
        table.add_row(store, *row)
        wrong.append(count)
    Console(width=140, highlight=False).print(table)
    if any(wrong):
        sys.exit("transactions were lost or doubled, or values differ without a proven reason.")


def _row(kinds: list[str], seed: int) -> tuple[list[str], int]:
    """A line of the table, and how much in it is wrong."""
    from tests.disturbed import disturbed
    chance, began = random.Random(seed), time.monotonic()
    kills = [chance.choice(kinds) for _ in range(KILLS // 2)]
    customers = 200
    days = RATE * SECONDS_EACH * len(kills) * 10 // (customers * 18)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    found = disturbed(FOLDER, kills, seed, World(customers=customers, terminals=2 * customers,
                                                 days=days, seed=seed), RATE)
    parity = found.parity
    row = [", ".join(f"{count} {name}" for name, count in sorted(Counter(kills).items())),
           *(f"{each:,}" for each in (found.sent, found.lost, found.doubled, parity.values,
                                      parity.mismatches, parity.explained)),
           str(sorted(Counter(found.codes).items())), f"{time.monotonic() - began:,.0f}"]
    return row, found.lost + found.doubled + parity.mismatches
