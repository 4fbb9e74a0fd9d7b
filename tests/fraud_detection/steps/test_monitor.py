from __future__ import annotations

import pytest

from branchline import Lakehouse
from fraud_detection.steps.monitor import comparison, shares


@pytest.mark.spark
def test_shares_include_the_upper_edge(lakehouse: Lakehouse) -> None:
    rows = lakehouse.spark.createDataFrame([(1.,), (2.,), (2.,), (3.,)], "x DOUBLE")
    assert shares(rows, {"x": [1., 2.]})["x"].tolist() == [.25, .5, .25]


@pytest.mark.spark
def test_a_moved_column_shows_and_a_stable_or_constant_one_does_not(lakehouse: Lakehouse) -> None:
    spark = lakehouse.spark
    before = spark.range(1000).selectExpr("id * 1.0D AS stable", "id * 1.0D AS moved",
                                          "0.0D AS constant")
    after = spark.range(1000).selectExpr("id * 1.0D AS stable", "id + 500.0D AS moved",
                                         "0.0D AS constant")
    table = comparison(before, after, ["stable", "moved", "constant"]).set_index("column")
    assert table.loc["stable", "psi"] < .01 and table.loc["constant", "psi"] == 0
    assert table.loc["moved", "psi"] > 1
    assert table.loc["moved", "mean"] - table.loc["moved", "reference_mean"] == 500
