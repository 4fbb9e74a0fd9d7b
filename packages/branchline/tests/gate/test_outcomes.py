from __future__ import annotations

import io
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from branchline.errors import BadInput
from branchline.gate.comparison import Data
from branchline.gate.outcomes import Kpi, Outcomes

ROWS = pa.table({"shop": ["a", "b"], "day": [1, 2], "sold": [2.0, 0.0], "asked": [4.0, 1.0]})
FULL = Outcomes(ROWS, ("shop", "day"), {"share": Kpi("sold", "asked"), "sold": Kpi("sold")},
                {"silver.sales": "main@3"}, {"days": 2.0},
                Data(5, 2, datetime(2024, 5, 1, tzinfo=timezone.utc)))


@pytest.mark.parametrize("outcomes", [FULL, Outcomes(ROWS, ("shop", "day"), {}, {})])
def test_outcomes_survive_writing_and_reading(outcomes: Outcomes) -> None:
    assert Outcomes.from_parquet(outcomes.to_parquet()) == outcomes


def test_the_file_is_plain_parquet_with_the_rows() -> None:
    assert pq.read_table(io.BytesIO(FULL.to_parquet())).to_pylist() == ROWS.to_pylist()


def test_a_kpi_is_a_ratio_of_sums_or_a_sum() -> None:
    sums = {"sold": 2.0, "asked": 5.0}
    assert [each.of(sums) for each in FULL.kpis.values()] == [0.4, 2.0]


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


@pytest.mark.parametrize("content", [
    b"", b"no parquet", parquet(ROWS), parquet(ROWS.replace_schema_metadata({"branchline": "{}"}))])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match="gate/outcomes.parquet: is not a file of outcomes"):
        Outcomes.from_parquet(content)
