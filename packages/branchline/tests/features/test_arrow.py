from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from branchline.features.arrow import EventColumns, with_features
from branchline.features.kernel import DAY, Floats, Ints, Window

LISTED = [Window("count_2d", "card", "count", "amount", 2),
          Window("mean_2d", "card", "mean", "amount", 2)]
ADDED = ["count_2d", "mean_2d"]
COLUMNS = EventColumns("id", "at", ["amount"])


def batch(*rows: tuple[str, str, float, float | None]) -> pa.RecordBatch:
    """Events of (id, card, days since 1970, amount)."""
    ids, cards, days, amounts = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(ids), pa.array(cards),
         pa.array([int(day * DAY) for day in days], pa.timestamp("ms", "UTC")),
         pa.array(amounts, pa.float64())], names=["id", "card", "at", "amount"])


def computed(*batches: pa.RecordBatch, start: int = 0) -> dict[str, tuple[float, float]]:
    found = with_features(batches, COLUMNS, LISTED, ADDED, start)
    rows = pa.Table.from_batches(found).to_pylist() if found else []
    return {row["id"]: (row["count_2d"], row["mean_2d"]) for row in rows}


def test_features_come_behind_the_events_own_columns() -> None:
    [found] = with_features([batch(("1", "a", 0, 5.))], COLUMNS, LISTED, ADDED, 0)
    assert found.schema.names == ["id", "card", "at", "amount", "count_2d", "mean_2d"]
    assert found["count_2d"].type == pa.float64() and found["count_2d"].null_count == 0


def test_how_events_are_cut_into_batches_changes_nothing() -> None:
    rows = [("1", "a", 0.5, 10.), ("2", "b", 0.6, 1.), ("3", "a", 1., 20.), ("4", "a", 4., 30.)]
    at_once = computed(batch(*rows))
    assert at_once == {"1": (1, 10), "2": (1, 1), "3": (2, 15), "4": (1, 30)}
    assert computed(*(batch(row) for row in reversed(rows))) == at_once


def test_events_before_the_start_are_history_only() -> None:
    rows = batch(("1", "a", 0.5, 10.), ("2", "a", 1., 20.))
    assert computed(rows, start=DAY) == {"2": (2, 15)}


def test_no_batch_and_an_empty_batch_have_no_features() -> None:
    assert computed() == {} and computed(batch(("1", "a", 0, 1.)).slice(0, 0)) == {}


def test_an_event_without_value_does_not_count() -> None:
    assert computed(batch(("1", "a", 0.5, None), ("2", "a", 1., 20.)))["2"] == (1, 20)


def test_further_features_come_from_the_time_alone() -> None:
    def hour(time: Ints) -> dict[str, Floats]:
        return {"hour": (time % DAY / (DAY // 24)).astype(np.float64)}

    [found] = with_features([batch(("1", "a", 0.25, 5.))], COLUMNS, LISTED, ["hour"], 0, hour)
    assert found["hour"].to_pylist() == [6.]


@pytest.mark.parametrize("module", ["branchline.features.arrow", "branchline.features.kernel"])
def test_it_imports_neither_spark_nor_mlflow(module: str) -> None:
    script = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            check=True).stdout.split()
    assert "pyarrow" in loaded or module.endswith("kernel")
    assert not {"pyspark", "mlflow", "sklearn", "matplotlib"} & set(loaded)
