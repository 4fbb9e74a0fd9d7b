"""Lines of the inference log in gold.inference_log: each once, bad ones in quarantine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from branchline.inference_log import Entry, InferenceLog, LogSettings, Origin, shipping
from branchline.inference_log.of_batch import log_batch
from branchline.inference_log.shipping import ship
from branchline.inference_log.tables import INFERENCE_LOG, LOG_QUARANTINE
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.sources.taken import FILES

pytestmark = pytest.mark.spark
ORIGIN = Origin("service", "fraud", "m-1", "ab12", 77)


def write(folder: Path, *keys: str) -> None:
    log = InferenceLog(LogSettings(folder))
    log.write([Entry({"amount": 0.1 + 0.2}, 1 / 3, True, "flagged", ("far",), record_id=key,
                     event_time=1_530_000_000_123) for key in keys], ORIGIN, "r", 0.5)
    log.close()


def keys(lakehouse: Lakehouse) -> list[str]:
    return sorted(row["record_id"] for row in lakehouse.read(INFERENCE_LOG).collect())


def test_lines_are_shipped_once_also_after_a_kill_and_bad_ones_go_to_quarantine(
        lakehouse: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, append = tmp_path / "log", shipping._append
    write(folder, "a", "b")
    (folder / "bad.jsonl").write_text('{"format": "inference/9"}\nno JSON\n{"format": "inf')
    (folder / "_open.jsonl").write_text("")
    (folder / "other.jsonl").write_text('{"a": 1}\n')

    def killed(at: Any, batch: int, table: Table, read: Any) -> None:
        append(at, batch, table, read)
        if table == LOG_QUARANTINE:
            raise KeyboardInterrupt

    monkeypatch.setattr(shipping, "_append", killed)
    with pytest.raises(KeyboardInterrupt):
        ship(lakehouse, str(folder))
    monkeypatch.setattr(shipping, "_append", append)
    write(folder, "c")
    taken = ship(lakehouse, str(folder))
    assert (taken.rows, taken.units) == (1, 1) and ship(lakehouse, str(folder)).rows == 0
    assert keys(lakehouse) == ["a", "b", "c"]
    [row] = [row for row in lakehouse.read(INFERENCE_LOG).collect() if row["record_id"] == "a"]
    assert (row["score"], row["is_alert"], row["latency_ms"]) == (1 / 3, True, 0.5)
    assert json.loads(row["inputs"]) == {"amount": 0.1 + 0.2} and row["store_filled"] == 77
    reasons = [row["reason"] for row in lakehouse.read(LOG_QUARANTINE).collect()]
    assert len(reasons) == 4 and sum("not a JSON object" in each for each in reasons) == 2
    assert sum("found format inference/9" in each for each in reasons) == 1
    assert not lakehouse.exists(FILES), "the notes are those of the input"


def test_rows_of_batch_have_the_service_s_columns_and_a_rerun_replaces_them(
        lakehouse: Lakehouse, spark: Any) -> None:
    rows = spark.sql("SELECT '7' AS id, TIMESTAMP'2018-06-01 12:00:00' AS event_time, '596' AS "
                     "card, 0.1D + 0.2D AS amount, CAST(NULL AS DOUBLE) AS age, 0.25D AS score, "
                     "true AS is_alert, 'flagged' AS outcome, 'far' AS guardrails")
    origin = Origin("batch", "fraud", "m-1", "ab12")
    for key in (None, b"k" * 16):
        log_batch(lakehouse, rows, origin, "id", ["card"], ["amount", "age"],
                  "event_time >= DATE'2018-06-01'", key)
    [row] = lakehouse.read(INFERENCE_LOG).collect()
    assert (row["line_id"], row["source"], row["score"]) == ("m-1/7", "batch", 0.25)
    assert json.loads(row["inputs"]) == {"amount": 0.1 + 0.2, "age": None}
    assert len(json.loads(row["entities"])["card"]) == 32 and row["is_outlier"] is None
