"""`branchline diff` of two branches' silver, against a plain full outer join of the same tables."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.cost import Cost, measured
from branchline.lakehouse import Lakehouse
from branchline.lakehouse.difference import Side, TableFound, compare
from fraud_detection.settings import Settings
from fraud_detection.tables import TRANSACTIONS

ROUNDS = 4  # the first while the JVM still compiles
BRANCHES = {"main": "amount", "branch": "amount + CAST(crc32(transaction_id) % 100 = 0 AS INT)"}


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Print the cost of both in each round, in turn; 1% of the amounts and few rows differ."""
    scratch = Path(lakehouse.root).parent / "diff"
    branches = copies(lakehouse, scratch)
    table = Table("round", "what", "rows", "clock s", "CPU s", "clock ratio", "CPU ratio", box=None)
    for number in range(1, ROUNDS + 1):
        join, again = (measured(lambda: plain_join(*branches)) for _ in range(2))
        found: list[TableFound] = []
        diff = measured(lambda: found.append(difference(*branches)))
        clock, cpu = min(join.clock, again.clock), min(join.cpu, again.cpu)
        rows = f"{sum(count or 0 for count in (found[0].common, found[0].added)):,}"
        for name, cost in (("join", join), ("join again", again), ("diff", diff)):
            table.add_row(str(number), name, rows, *_texts(cost, clock, cpu))
    Console(width=120, highlight=False).print(table)


def _texts(cost: Cost, clock: float, cpu: float) -> tuple[str, ...]:
    return (f"{cost.clock:.1f}", f"{cost.cpu:.1f}", f"{cost.clock / clock:.2f}",
            f"{cost.cpu / cpu:.2f}")


def copies(lakehouse: Lakehouse, scratch: Path) -> tuple[Lakehouse, Lakehouse]:
    """Silver twice, each without one row in a thousand, one with other amounts."""
    shutil.rmtree(scratch, ignore_errors=True)
    found = []
    for number, (name, amount) in enumerate(BRANCHES.items()):
        branch = Lakehouse(lakehouse.spark, str(scratch), name)
        branch.create(TRANSACTIONS)
        rows = lakehouse.read(TRANSACTIONS).where(f"crc32(customer_id) % 1000 != {number}")
        branch.overwrite(TRANSACTIONS, rows.withColumn("amount", _expression(amount)), "true")
        found.append(branch)
    return found[0], found[1]


def plain_join(before: Lakehouse, after: Lakehouse) -> None:
    """Every column of both, joined by key; the result is discarded."""
    one, other = (side.read(TRANSACTIONS) for side in (before, after))
    joined = one.join(other, "transaction_id", "full_outer")
    joined.write.format("noop").mode("overwrite").save()


def difference(before: Lakehouse, after: Lakehouse) -> TableFound:
    return compare(TRANSACTIONS, *(Side.of(side, TRANSACTIONS) for side in (before, after)))[0]


def _expression(text: str) -> object:
    from pyspark.sql import functions as F
    return F.expr(text)
