"""Summarises in a few lines what is wrong with the rows in quarantine."""

from __future__ import annotations

import re
from collections import Counter

from pyspark.sql import functions as F

from branchline import Lakehouse
from branchline.lakehouse.sources import shortened
from branchline.show import command_for
from fraud_detection.tables import QUARANTINE

__all__ = ["commonest"]

SHOWN = 3
KIND = (r"(?s)\b(transaction_id|event_time|customer_id|terminal_id|amount|is_fraud) .*? "
        r"(is not|is negative|is more than|lies after|holds a line break)")
NUMBER = re.compile(r"event_time \d{9,13}(\.\d*)? is not a time")
EPOCH = ("times look like seconds or milliseconds since 1970: give their unit in the columns file, "
         "`event_time: {column: NAME, epoch: seconds}` (or milliseconds)")


def commonest(lakehouse: Lakehouse, before: int, epoch: str | None) -> list[str]:
    """Lines about the rows added to quarantine after its version `before`."""
    now = _kinds(lakehouse, None)
    then = _kinds(lakehouse, before)
    new = Counter({kind: count - then.get(kind, (0, ""))[0] for kind, (count, _) in now.items()})
    lines = [f"quarantine: {count:,} {'row' if count == 1 else 'rows'}: {shortened(kind)} "
             f"(such as: {shortened(now[kind][1])})"
             for kind, count in new.most_common(SHOWN) if count > 0]
    if not lines:
        return []
    if epoch is None and any(NUMBER.search(now[kind][1]) for kind, _ in new.most_common(SHOWN)):
        lines.append(EPOCH)
    return [*lines, f"all of them, with their rows: {command_for(QUARANTINE)}"]


def _kinds(lakehouse: Lakehouse, version: int | None) -> dict[str, tuple[int, str]]:
    """Each kind of reason, values left out, with its count and an example."""
    kind = F.regexp_replace("reason", KIND, "$1 ... $2").alias("kind")
    found = lakehouse.read(QUARANTINE, version).groupBy(kind).agg(
        F.count("*").alias("rows"), F.min("reason").alias("example"))
    return {row["kind"]: (row["rows"], row["example"])
            for row in found.orderBy(F.desc("rows")).limit(1000).collect()}
