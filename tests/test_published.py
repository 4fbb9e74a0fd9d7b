"""Proof on the published data, where they lie beside the repository: features and protocol."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.folds import measures, published_fold, scored_fold
from branchline.lakehouse import Lakehouse
from fraud_detection.features import names
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES
from tests.conftest import SHARED
from tests.published import FIRST, PUBLISHED

pytestmark = PUBLISHED


def test_at_most_two_rows_differ_from_the_published_features(
        published: tuple[Lakehouse, Settings]) -> None:
    theirs = pd.read_parquet(SHARED / f"handbook_features_{FIRST}_to_14.parquet")
    theirs = theirs.set_index("TRANSACTION_ID").drop(columns="TX_AMOUNT", errors="ignore")
    ours = published[0].read(FEATURES).toArrow().to_pandas()
    ours.index = ours["transaction_id"].astype(int)
    ours = ours.loc[theirs.index, names("published")[1:]]
    differing = ~np.isclose(ours.to_numpy(), theirs.to_numpy(), rtol=0, atol=1e-6).all(axis=1)
    print(f"published rows {len(theirs):,}, differing {differing.sum()}")
    assert len(theirs) == 67_080 and differing.sum() <= 2


def test_logistic_regression_repeats_the_published_first_fold(
        published: tuple[Lakehouse, Settings]) -> None:
    auc, ap, cp = measures(published_fold(*published))
    print(f"published .871/.606/.291, ours {auc:.4f}/{ap:.4f}/{cp:.4f}")
    assert abs(auc - .871) <= .003 and abs(ap - .606) <= .01 and abs(cp - .291) <= .005


def test_the_default_model_is_ahead_of_the_published_ones_on_the_first_fold(
        published: tuple[Lakehouse, Settings]) -> None:
    lakehouse, settings = published
    default = replace(settings, model="hist_gradient_boosting", features="full",
                      class_weight="balanced")
    auc, ap, cp = measures(scored_fold(lakehouse, default))
    print(f"published at most .871/.658/.291, ours {auc:.4f}/{ap:.4f}/{cp:.4f}")
    assert auc > .871 and ap > .70 and cp > .291
