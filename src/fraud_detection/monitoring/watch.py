"""Step `watch`: windows of the inference log against the model's training, and against labels."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from pyspark.sql import DataFrame, functions as F

from branchline import BadInput, Lakehouse, Step
from branchline.features.kernel import DAY
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.monitoring.drift import Policy
from branchline.monitoring.family import Unjudged, judged
from branchline.monitoring.judged import column_measures, row_measures, with_levels
from branchline.monitoring.measures import CHANGED, MEASURES, Measure
from branchline.monitoring.profile_tables import DRIFT_METRICS, PROFILE_METRICS
from branchline.monitoring.window_rows import Rows, outcomes
from branchline.monitoring.windows import Key, in_windows
from fraud_detection.data.days import milliseconds
from fraud_detection.monitoring.compared import Columns, compared
from fraud_detection.monitoring.kept import Windows, keep
from fraud_detection.monitoring.settings import MonitoringSettings
from fraud_detection.plots import report, watched
from fraud_detection.tables import TRANSACTIONS

__all__ = ["run", "step"]

log = logging.getLogger(__name__)


def run(lakehouse: Lakehouse, settings: MonitoringSettings) -> dict[str, int]:
    """Measure the windows that are new, or whose labels have come since; log `watch/report.html`.

    Counts: `rows` scored, `windows`, `changed` measures.

    Raises:
        BadInput: the inference log is empty.
    """
    now = _newest(lakehouse)
    windows = _windows(lakehouse, settings, now)
    rows = in_windows(lakehouse.read(INFERENCE_LOG), windows.length, settings.slices).where(
        F.col("start").between(windows.first, windows.end - 1))
    columns = compared(rows, settings.by_the_clock)
    found = outcomes(rows, _labels(lakehouse, settings, now))
    tested = _measures(columns, found, windows, settings, now)
    measures = judged(with_levels(tested, _before(lakehouse, windows)), settings.alarm_rate)
    keep(lakehouse, windows, measures, columns)
    _show(lakehouse)
    return {"rows": sum(each.rows for key, each in found.items() if not key.slice),
            "windows": len({key.start for key in found}),
            "changed": sum(each.verdict == CHANGED for each in measures)}


def _measures(columns: Columns, found: Mapping[Key, Rows], windows: Windows,
              settings: MonitoringSettings, now: int) -> Iterator[Unjudged]:
    policy = Policy(settings.alarm_rate, settings.least_psi)
    for key in sorted(found):
        yield from column_measures(key, windows.length, columns.get(key, {}), policy)
        is_known = key.start + windows.length + _delay(settings) <= now
        yield from row_measures(key, windows.length, found[key], policy, is_known)


def _delay(settings: MonitoringSettings) -> int:
    """Seconds until a label is known."""
    return settings.label_delay_days * DAY // 1000


def _newest(lakehouse: Lakehouse) -> int:
    """When the newest event was, in seconds since 1970: what is known is known by then."""
    found = lakehouse.read(INFERENCE_LOG).agg(
        F.max(F.unix_seconds(F.coalesce("event_time", "time")))).first()
    if found is None or found[0] is None:
        raise BadInput("gold.inference_log has no rows; run the step ship of fraud-training, or "
                       "predict with -P log_scores=true, first.")
    return int(found[0])


def _windows(lakehouse: Lakehouse, settings: MonitoringSettings, now: int) -> Windows:
    """All complete windows, from the first one that is new or whose labels were not known."""
    length = settings.window_hours * 3600
    end, first = (now + 1) // length * length, 0
    if settings.first_day:
        first = milliseconds(settings.first_day) // 1000
    elif lakehouse.exists(MEASURES):
        done = lakehouse.read(MEASURES).agg(F.max(F.unix_seconds("window_end"))).first()
        if done and done[0]:
            first = done[0] - _delay(settings) - length
    return Windows(max(first, 0) // length * length, end, length)


def _labels(lakehouse: Lakehouse, settings: MonitoringSettings, now: int) -> DataFrame:
    """The labels that are known by now, none before its delay."""
    return lakehouse.read(TRANSACTIONS).where(
        F.col("is_fraud").isNotNull()
        & (F.unix_seconds("event_time") + _delay(settings) <= now)).select(
        F.col("transaction_id").alias("record_id"), F.col("is_fraud").alias("label"))


def _before(lakehouse: Lakehouse, windows: Windows) -> list[Measure]:
    """The service's measures of the windows before the first, in their order."""
    if not lakehouse.exists(MEASURES):
        return []
    rows = (lakehouse.read(MEASURES).where(f"NOT window_start {windows.condition}")
            .where("subject = 'service'").orderBy("window_start").toArrow().to_pylist())
    return [Measure(**{name: row[name] for name in Measure.__dataclass_fields__}) for row in rows]


def _show(lakehouse: Lakehouse) -> None:
    import mlflow
    newest = lakehouse.read(MEASURES).agg(F.max("window_end")).first()
    if newest is None or newest[0] is None:
        log.warning("no window is complete yet: nothing was measured.")
        return
    since = newest[0] - timedelta(days=watched.DAYS)
    table = lakehouse.read(MEASURES).where(
        (F.col("window_start") >= F.lit(since)) & (F.col("slice") == "")).toArrow().to_pandas()
    with tempfile.TemporaryDirectory() as folder:
        report.write(watched.facts(table), watched.sections(table), Path(folder),
                     title="What was scored", lead=watched.changes(table))
        mlflow.log_artifacts(folder, "watch")


step = Step("watch", run, reads=(INFERENCE_LOG, TRANSACTIONS),
            writes=(MEASURES, PROFILE_METRICS, DRIFT_METRICS))
