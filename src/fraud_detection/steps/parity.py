"""On request: what stream or service logged, recomputed from silver, compared value by value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from branchline import BadInput, Lakehouse, Step
from branchline.features.kernel import look_back_days
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.parity import (PARITY, Logged, Parity, compare, log_parity, of_lines, read_log)
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
        raise BadInput("the log has no scored event; expected the topic of `score-stream --log`, "
                       "or rows of service or stream in gold.inference_log.")
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
    """Compare what the topic and gold.inference_log have, and log the result.

    Counts: `rows` (events), `values`, `explained` and `mismatches` among them.

    Raises:
        BadInput: a topic without a Kafka file, or nothing was logged.
    """
    found = compared(lakehouse, _logged(lakehouse, settings), settings.label_delay_days)
    log_parity(found)
    return {"rows": found.events, "values": found.values, "explained": found.explained,
            "mismatches": found.mismatches}


def _logged(lakehouse: Lakehouse, settings: Settings) -> Logged:
    """The topic's events and labels and the service's rows; without a topic, all rows of the table.

    The table does not say when labels came: where some come late, give the topic.
    """
    if not settings.log:
        return _rows(lakehouse, "source IN ('service', 'stream')")
    if settings.kafka is None:
        raise BadInput(f"parameter log is {settings.log!r}, but there are no settings for Kafka; "
                       "expected a file such as -P kafka=kafka.yml.")
    found = read_log(settings.log, settings.kafka.client)
    if not lakehouse.exists(INFERENCE_LOG):
        return found
    return Logged(found.events + _rows(lakehouse, "source = 'service'").events, found.labels)


def _rows(lakehouse: Lakehouse, of_source: str) -> Logged:
    """The rows with an event whose features came from the store."""
    return of_lines(lakehouse.read(INFERENCE_LOG).where(of_source).where(
        "record_id IS NOT NULL AND outcome <> 'degraded'").toArrow())


step = Step(PARITY, run, reads=(TRANSACTIONS,), on_request=True)
