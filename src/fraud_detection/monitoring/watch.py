"""Step `watch`: windows of the inference log against the model's training, and against labels."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, functions as F

from branchline import BadInput, Lakehouse, Step, Table
from branchline.features.kernel import DAY
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.monitoring.drift import Policy, drift
from branchline.monitoring.judged import column_measures, row_measures, with_levels
from branchline.monitoring.measures import CHANGED, MEASURES, Measure
from branchline.monitoring.profile_tables import (DRIFT_METRICS, PROFILE_METRICS, drift_row,
                                                  profile_row)
from branchline.monitoring.reference import Column
from branchline.monitoring.summary import Summary
from branchline.monitoring.windows import Key, Rows, in_windows, outcomes, summaries
from fraud_detection.data.days import milliseconds
from fraud_detection.monitoring.settings import MonitoringSettings
from fraud_detection.plots import report, watched
from fraud_detection.scoring.logged import find_model
from fraud_detection.tables import TRANSACTIONS

__all__ = ["run", "step"]

log = logging.getLogger(__name__)
References = Mapping[str, Mapping[str, Column]]


@dataclass(frozen=True)
class _Windows:
    """From when to when windows are measured, in seconds since 1970, and their length."""

    first: int
    end: int
    length: int

    @property
    def condition(self) -> str:
        """On the tables' `window_start`, or `window.start`."""
        return f">= timestamp_seconds({self.first})"


def run(lakehouse: Lakehouse, settings: MonitoringSettings) -> dict[str, int]:
    """Measure the windows that are new, or whose labels have come since; log `watch/report.html`.

    Counts: `rows` scored, `windows`, `changed` measures.

    Raises:
        BadInput: the inference log is empty, or a model in it cannot be loaded.
    """
    now = _newest(lakehouse)
    windows = _windows(lakehouse, settings, now)
    rows = in_windows(lakehouse.read(INFERENCE_LOG), windows.length, settings.slices).where(
        F.col("start").between(windows.first, windows.end - 1))
    references = _references(rows, settings)
    columns = summaries(rows, {
        version: {name: column.edges for name, column in each.items()}
        for version, each in references.items()})
    found = outcomes(rows, _labels(lakehouse, settings, now))
    measures = with_levels(list(_measures(columns, found, references, windows, settings, now)),
                           _before(lakehouse, windows))
    _keep(lakehouse, windows, measures, columns, references)
    _show(lakehouse)
    return {"rows": sum(each.rows for key, each in found.items() if not key.slice),
            "windows": len({key.start for key in found}),
            "changed": sum(each.verdict == CHANGED for each in measures)}


def _measures(columns: Mapping[Key, Mapping[str, Summary]], found: Mapping[Key, Rows],
              references: References, windows: _Windows, settings: MonitoringSettings,
              now: int) -> Iterator[Measure]:
    policy = Policy(settings.alarm_rate, settings.least_psi)
    for key in sorted(found):
        if key in columns:
            yield from column_measures(key, windows.length, columns[key],
                                       references[key.model_version], policy)
        is_known = key.start + windows.length + _delay(settings) <= now
        yield from row_measures(key, windows.length, found[key], is_known)


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


def _windows(lakehouse: Lakehouse, settings: MonitoringSettings, now: int) -> _Windows:
    """All complete windows, from the first one that is new or whose labels were not known."""
    length = settings.window_hours * 3600
    end, first = (now + 1) // length * length, 0
    if settings.first_day:
        first = milliseconds(settings.first_day) // 1000
    elif lakehouse.exists(MEASURES):
        done = lakehouse.read(MEASURES).agg(F.max(F.unix_seconds("window_end"))).first()
        if done and done[0]:
            first = done[0] - _delay(settings) - length
    return _Windows(max(first, 0) // length * length, end, length)


def _references(rows: DataFrame, settings: MonitoringSettings) -> References:
    """The drift reference of each model version, without inputs that follow the calendar."""
    found: dict[str, dict[str, Column]] = {}
    for row in rows.select("model_version").distinct().collect():
        model = find_model(f"models:/{row[0]}")
        if not model.parts.reference:
            log.warning("model %s: has no drift reference (an older train made it): its columns "
                        "are not compared.", row[0])
        else:
            found[row[0]] = {name: column for name, column in model.parts.reference.items()
                             if name not in settings.by_the_clock}
    return found


def _labels(lakehouse: Lakehouse, settings: MonitoringSettings, now: int) -> DataFrame:
    """The labels that are known by now, none before its delay."""
    return lakehouse.read(TRANSACTIONS).where(
        F.col("is_fraud").isNotNull()
        & (F.unix_seconds("event_time") + _delay(settings) <= now)).select(
        F.col("transaction_id").alias("record_id"), F.col("is_fraud").alias("label"))


def _before(lakehouse: Lakehouse, windows: _Windows) -> list[Measure]:
    """The service's measures of the windows before the first, in their order."""
    if not lakehouse.exists(MEASURES):
        return []
    rows = (lakehouse.read(MEASURES).where(f"NOT window_start {windows.condition}")
            .where("subject = 'service'").orderBy("window_start").toArrow().to_pylist())
    return [Measure(**{name: row[name] for name in Measure.__dataclass_fields__}) for row in rows]


def _keep(lakehouse: Lakehouse, windows: _Windows, measures: Sequence[Measure],
          columns: Mapping[Key, Mapping[str, Summary]], references: References) -> None:
    profiles, drifts = [], []
    for key, each in columns.items():
        for name, found in each.items():
            trained = references[key.model_version][name]
            profiles.append(profile_row(key, windows.length, name, found))
            drifts.append(drift_row(key, windows.length, name, found, trained,
                                    drift(trained, found)))
    for rows in (profiles, drifts):
        for row in rows:
            row["window"] = {side: datetime.fromtimestamp(at, timezone.utc)
                             for side, at in row["window"].items()}
    _write(lakehouse, MEASURES, [asdict(each) for each in measures],
           f"window_start {windows.condition}")
    _write(lakehouse, PROFILE_METRICS, profiles, f"window.start {windows.condition}")
    _write(lakehouse, DRIFT_METRICS, drifts, f"window.start {windows.condition}")


def _write(lakehouse: Lakehouse, table: Table, rows: Sequence[Mapping[str, Any]],
           where: str) -> None:
    lakehouse.overwrite(table, lakehouse.spark.createDataFrame(list(rows), table.ddl), where)


def _show(lakehouse: Lakehouse) -> None:
    import mlflow
    newest = lakehouse.read(MEASURES).agg(F.max("window_end")).first()
    assert newest is not None
    since = newest[0] - timedelta(days=watched.DAYS)
    table = lakehouse.read(MEASURES).where(
        (F.col("window_start") >= F.lit(since)) & (F.col("slice") == "")).toArrow().to_pandas()
    with tempfile.TemporaryDirectory() as folder:
        report.write(watched.facts(table), watched.sections(table), Path(folder),
                     title="What was scored", lead=watched.changes(table))
        mlflow.log_artifacts(folder, "watch")


step = Step("watch", run, reads=(INFERENCE_LOG, TRANSACTIONS),
            writes=(MEASURES, PROFILE_METRICS, DRIFT_METRICS))
