"""On request: what the stream logged, recomputed from silver and compared value by value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from branchline import BadInput, Lakehouse, Step
from branchline.features.kernel import look_back_days
from branchline.parity import PARITY, Logged, Parity, compare, log_parity, read_log
from fraud_detection.data.days import between
from fraud_detection.features import definitions
from fraud_detection.scoring.parity import recomputed
from fraud_detection.settings import Settings
from fraud_detection.steps.featurize import features
from fraud_detection.tables import TRANSACTION_COLUMNS, TRANSACTIONS

__all__ = ["compared", "run", "step"]


def compared(lakehouse: Lakehouse, log: Logged, label_delay: int) -> Parity:
    """The comparison of what was logged with batch's features of the same days.

    Raises:
        BadInput: nothing was logged.
    """
    if not log.events:
        raise BadInput("the log has no scored event; expected the topic of `score-stream --log`.")
    first, last = _days(log.events)
    silver = lakehouse.read(TRANSACTIONS)
    since = first - timedelta(days=look_back_days(definitions("full", label_delay)))
    events = silver.where(between(since, last)).select(*TRANSACTION_COLUMNS).toArrow()
    batch = features(silver, first, last, label_delay).toArrow()
    return compare(log, recomputed(events, batch, label_delay))


def _days(rows: Sequence[dict[str, Any]]) -> tuple[date, date]:
    """The first and the last day of the logged events."""
    times = [row["event_time"] for row in rows]
    first, last = (datetime.fromtimestamp(time / 1000, timezone.utc).date()
                   for time in (min(times), max(times)))
    return first, last


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Compare all that the topic has, and log the result.

    Counts: `rows` (events), `values`, `explained` and `mismatches` among them.

    Raises:
        BadInput: no topic or no Kafka file is given, or nothing was logged.
    """
    if not settings.log or settings.kafka is None:
        raise BadInput("parameters log and kafka: expected a topic and a file with Kafka's "
                       "settings, as `branchline parity` passes them.")
    found = compared(lakehouse, read_log(settings.log, settings.kafka.client),
                     settings.label_delay_days)
    log_parity(found)
    return {"rows": found.events, "values": found.values, "explained": found.explained,
            "mismatches": found.mismatches}


step = Step(PARITY, run, reads=(TRANSACTIONS,), on_request=True)
